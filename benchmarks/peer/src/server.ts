/** One process: reads its settings, listens, and stops when it is told to. */
import { buildApp } from './app.js'
import { pgStore } from './data/pg.js'
import { prismaStore } from './data/prisma.js'

function setting(name: string, fallback?: string): string {
  const value = process.env[name] ?? fallback
  if (value === undefined) throw new Error(`${name} is missing`)
  return value
}

const stores = { pg: pgStore, prisma: prismaStore }
const layer = setting('DATA_LAYER')
if (!(layer in stores)) throw new Error('DATA_LAYER is pg or prisma')

const store = stores[layer as keyof typeof stores](
  setting('DATABASE_URL'),
  Number(setting('POOL_SIZE', '10')),
)
const keys = {
  secret: setting('JWT_SECRET'),
  issuer: setting('TOKEN_ISSUER', 'worldloom'),
  audience: setting('TOKEN_AUDIENCE', 'worldloom'),
}
const app = await buildApp(store, keys, setting('ACCESS_LOG', 'false') === 'true')

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void app.close().then(() => process.exit(0)))
}
await app.listen({ host: setting('HOST', '127.0.0.1'), port: Number(setting('PORT', '18190')) })
