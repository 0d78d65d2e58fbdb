/** One process of Hocuspocus, as its documentation recommends it: with authentication, and stored in PostgreSQL. */
import { Database } from '@hocuspocus/extension-database'
import { Server } from '@hocuspocus/server'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import pg from 'pg'

function setting(name, fallback) {
  const value = process.env[name] ?? fallback
  if (value === undefined) throw new Error(`${name} is missing`)
  return value
}

const pool = new pg.Pool({
  connectionString: setting('DATABASE_URL'),
  max: Number(setting('POOL_SIZE', '10')),
})
const keys = createRemoteJWKSet(new URL(setting('JWKS_URL')))
const claims = {
  issuer: setting('TOKEN_ISSUER', 'worldloom'),
  audience: setting('TOKEN_AUDIENCE', 'worldloom'),
  algorithms: ['ES256'],
  typ: 'at+jwt',
}

const ROLE = {
  name: 'role',
  text: 'SELECT role FROM member WHERE project_id = $1 AND user_id = $2',
}
const FETCH = { name: 'fetch', text: 'SELECT data FROM document WHERE name = $1' }
const STORE = {
  name: 'store',
  text: `INSERT INTO document (name, data) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET data = EXCLUDED.data, updated_at = now()`,
}

/** Let in who has a token and a role in the document's project; who may not write only reads. */
async function authenticate({ token, documentName, connectionConfig }) {
  const { payload } = await jwtVerify(token, keys, claims)
  const [projectId] = documentName.split('/', 1)
  const { rows } = await pool.query({ ...ROLE, values: [projectId, payload.sub] })
  if (rows.length === 0) throw new Error('Not a member')
  connectionConfig.readOnly = !['owner', 'editor'].includes(rows[0].role)
  return { user: { id: payload.sub, role: rows[0].role } }
}

/** Before memory is measured: what waits to be collected is nobody's. */
async function collectGarbage({ request, response }) {
  if (request.url !== '/gc' || !globalThis.gc) return
  globalThis.gc()
  response.writeHead(204).end()
  throw null // tells Hocuspocus that the request is answered
}

const server = new Server({
  address: setting('HOST', '127.0.0.1'),
  port: Number(setting('PORT', '18191')),
  quiet: true,
  extensions: [
    new Database({
      fetch: async ({ documentName }) => {
        const { rows } = await pool.query({ ...FETCH, values: [documentName] })
        return rows[0]?.data ?? null
      },
      store: async ({ documentName, state }) => {
        await pool.query({ ...STORE, values: [documentName, state] })
      },
    }),
  ],
  onAuthenticate: authenticate,
  onRequest: collectGarbage,
})

await server.listen()
