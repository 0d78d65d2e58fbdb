// An editor: CodeMirror on a shared text, and the provider as npm has it. It begins with
// `start(options)`; what the tests look at is `editor`.
import { defaultKeymap } from '@codemirror/commands'
import { EditorState } from '@codemirror/state'
import { EditorView, keymap } from '@codemirror/view'
import { yCollab } from 'y-codemirror.next'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

const RENEWABLE = [4401, 4408]

async function freshTicket ({ gateway, token }) {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${gateway}/api/v1/auth/ws-ticket`, { method: 'POST', headers })
  if (!answer.ok) throw new Error(`no ticket: ${answer.status}`)
  return (await answer.json()).data.ticket
}

// a ticket is good once: each attempt to connect has its own
function renewing (provider, options, tickets) {
  let isWanted = true
  const renew = async () => {
    while (isWanted) {
      const attempts = provider.wsUnsuccessfulReconnects
      await new Promise(resolve => setTimeout(resolve, Math.min(100 * 2 ** attempts, 1_000)))
      try {
        provider.params.ticket = await freshTicket(options)
      } catch {
        continue
      }
      tickets.push(provider.params.ticket)
      return provider.connect()
    }
  }
  provider.on('connection-close', () => {
    provider.shouldConnect = false
    renew()
  })
  provider.on('closed', ({ code }) => { isWanted = RENEWABLE.includes(code) })
  return renew()
}

async function start (options) {
  const doc = new Y.Doc()
  const text = doc.getText('content')
  const params = {}
  const provider = new WebsocketProvider(
    `${options.sockets}/collab/v1/documents/${options.project}`, options.path, doc,
    { params, connect: false }
  )
  // whatever a page says of who is here, the server knows better
  provider.awareness.setLocalStateField('user', options.user)
  const closed = []
  provider.on('connection-close', event => closed.push(event === null ? 0 : event.code))
  const tickets = []
  renewing(provider, options, tickets)
  await new Promise(resolve => provider.once('sync', resolve))
  // what others change from here on
  const heard = []
  text.observe(event => { if (!event.transaction.local) heard.push(event.delta) })
  const view = new EditorView({
    parent: document.body,
    state: EditorState.create({
      doc: text.toString(),
      extensions: [keymap.of(defaultKeymap), yCollab(text, provider.awareness)]
    })
  })
  window.editor = {
    heard,
    closed,
    tickets,
    provider,
    text: () => text.toString(),
    shown: () => view.state.doc.toString(),
    select: (anchor, head = anchor) => {
      view.focus()
      view.dispatch({ selection: { anchor, head } })
    },
    selected: () => {
      const { from, to } = view.state.selection.main
      return view.state.sliceDoc(from, to)
    },
    others: () => [...provider.awareness.getStates()]
      .filter(([client]) => client !== doc.clientID)
      .map(([, state]) => state)
  }
}

window.start = start
