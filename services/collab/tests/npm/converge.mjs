// Two editors with the provider as npm has it, and a third that joins late; each line of the
// output is a JSON fact for the test. Arguments: the documents' address, the path, the fleet's
// secret (the gateway's part), and a ticket or token for each editor.
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

const [address, path, secret, ...tokens] = process.argv.slice(2)

class Through extends WebSocket {
  constructor (url, protocols) {
    super(url, protocols, { headers: { 'x-fleet-secret': secret } })
  }
}

const say = fact => console.log(JSON.stringify(fact))

function editor (token, name) {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(address, path, doc, {
    params: { access_token: token },
    WebSocketPolyfill: Through,
    disableBc: true
  })
  provider.awareness.setLocalStateField('user', { name })
  return { doc, provider, text: doc.getText('content') }
}

const until = async holds => {
  const deadline = Date.now() + 10_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${holds}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

const synced = ({ provider }) => until(() => provider.synced)
const same = editors => new Set(editors.map(({ text }) => text.toString())).size === 1

const one = editor(tokens[0], 'one')
const two = editor(tokens[1], 'two')
await Promise.all([synced(one), synced(two)])
say({ began: one.text.toString() })

for (let i = 0; i < 100; i++) {
  for (const [{ text }, letter] of [[one, 'a'], [two, 'b']]) {
    const at = Math.floor(Math.random() * (text.length + 1))
    if (text.length > 30 && Math.random() < 0.3) text.delete(Math.min(at, text.length - 3), 3)
    else text.insert(at, letter.repeat(1 + i % 3))
  }
  await new Promise(resolve => setTimeout(resolve, 3))
}
await until(() => same([one, two]))

// what is typed without a connection arrives after it
two.provider.disconnect()
two.text.insert(0, 'offline ')
one.text.insert(one.text.length, ' online')
two.provider.connect()
await synced(two)
await until(() => same([one, two]))

const late = editor(tokens[2], 'late')
await synced(late)
await until(() => same([one, two, late]))
await until(() => late.provider.awareness.getStates().size === 3)
say({ ended: late.text.toString() })
say({ users: [...late.provider.awareness.getStates().values()].map(state => state.user) })
for (const { doc } of [one, two, late]) doc.destroy()
// the provider's own timers go on
process.exit(0)
