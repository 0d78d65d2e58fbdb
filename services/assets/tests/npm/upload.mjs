// A file sent with tus-js-client as npm has it; each line of the output is a JSON fact for the test.
// Arguments: the endpoint, headers as JSON, metadata as JSON, the file, options as JSON. With
// `abortAt` the upload is broken off there, and gone on with by another one.
import { readFile } from 'node:fs/promises'
import { Upload } from 'tus-js-client'

const [endpoint, headers, metadata, path, options] = process.argv.slice(2)
const { abortAt, ...given } = JSON.parse(options)
const file = await readFile(path)
const say = fact => console.log(JSON.stringify(fact))
const wait = ms => new Promise(resolve => setTimeout(resolve, ms))

function send (uploadUrl, stopAt) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(file, {
      endpoint,
      uploadUrl,
      headers: JSON.parse(headers),
      metadata: JSON.parse(metadata),
      retryDelays: Array(1000).fill(200),
      ...given,
      onUploadUrlAvailable: () => say({ url: upload.url }),
      onChunkComplete: (_, accepted) => say({ accepted }),
      onProgress: async sent => {
        if (stopAt && sent >= stopAt) {
          stopAt = 0
          await upload.abort()
          resolve({ url: upload.url })
        }
      },
      onSuccess: ({ lastResponse }) => {
        resolve({ url: upload.url, asset: lastResponse.getHeader('Asset-Id') })
      },
      onError: reject
    })
    upload.start()
  })
}

let done = await send(null, abortAt)
if (abortAt) {
  say({ brokenOff: done.url })
  await wait(300)
  done = await send(done.url)
}
say(done)
