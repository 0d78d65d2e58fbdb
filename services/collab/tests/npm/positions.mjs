// Relative positions as yjs makes and reads them. Reads one JSON request from its input:
// {"make": n}: makes n documents, positions in each, and changes of each afterwards;
// {"read": [{update, positions}]}: says where positions are in a document.
import * as Y from 'yjs'

const base64 = bytes => Buffer.from(bytes).toString('base64')
const bytes = text => new Uint8Array(Buffer.from(text, 'base64'))
const LETTERS = ['a', 'b', '\n', 'é', '中', '😀', 'x\ny', '🎮z']

const pick = n => Math.floor(Math.random() * n)

function change (text) {
  if (text.length > 6 && Math.random() < 0.45) {
    const at = pick(text.length)
    text.delete(at, Math.min(1 + pick(5), text.length - at))
  } else {
    text.insert(pick(text.length + 1), LETTERS[pick(LETTERS.length)].repeat(1 + pick(3)))
  }
}

function exchange (docs) {
  for (const from of docs) for (const to of docs) Y.applyUpdate(to, Y.encodeStateAsUpdate(from))
}

function work (docs, rounds) {
  for (let i = 0; i < rounds; i++) {
    change(docs[pick(docs.length)].getText('content'))
    if (Math.random() < 0.2) exchange(docs)
  }
  exchange(docs)
}

function where (doc, position) {
  const found = Y.createAbsolutePositionFromRelativePosition(position, doc)
  return found === null ? null : found.index
}

function make () {
  const docs = [new Y.Doc(), new Y.Doc(), new Y.Doc()]
  work(docs, 30)
  const text = docs[0].getText('content')
  const before = base64(Y.encodeStateAsUpdate(docs[0]))
  const places = []
  for (let index = 0; index <= text.length; index++) {
    for (const assoc of [0, -1]) {
      places.push({ index, assoc, position: Y.createRelativePositionFromTypeIndex(text, index, assoc) })
    }
  }
  const content = text.toString()
  work(docs, 30)
  return {
    before,
    after: base64(Y.encodeStateAsUpdate(docs[0])),
    text: content,
    places: places.map(({ index, assoc, position }) => ({
      index, assoc, position: base64(Y.encodeRelativePosition(position)), then: where(docs[0], position)
    }))
  }
}

function read ({ update, positions }) {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, bytes(update))
  doc.getText('content')
  return positions.map(position => where(doc, Y.decodeRelativePosition(bytes(position))))
}

let input = ''
for await (const chunk of process.stdin) input += chunk
const request = JSON.parse(input)
const answer = request.make ? Array.from({ length: request.make }, make) : request.read.map(read)
process.stdout.write(JSON.stringify(answer))
