/** The routes, over whichever data layer. */
import { createHash, randomUUID } from 'node:crypto'
import jwt from '@fastify/jwt'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import { SHOW_FILE, SHOW_PROJECT, WRITE_FILE } from './schemas.js'
import type { Store } from './store.js'

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub: string; sid: string; role: string }
    user: { sub: string; sid: string; role: string }
  }
}

interface InProject {
  Params: { id: string }
}
interface InFiles {
  Params: { id: string; '*': string }
}
interface Writing extends InFiles {
  Body: { content: string }
}

export interface Keys {
  secret: string
  issuer: string
  audience: string
}

const FAULTS: Record<number, string> = {
  400: 'VALIDATION_ERROR',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  413: 'PAYLOAD_TOO_LARGE',
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  const code = FAULTS[status] ?? 'INTERNAL_ERROR'
  const error = { code, message, details: [], requestId: reply.request.id }
  return reply.code(status).send({ success: false, error })
}

export async function buildApp(store: Store, keys: Keys, log: boolean): Promise<FastifyInstance> {
  const app = Fastify({
    logger: log,
    genReqId: () => randomUUID(),
    requestIdHeader: 'x-request-id',
    // a body is checked, not mended
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  })
  await app.register(jwt, {
    secret: keys.secret,
    verify: { algorithms: ['HS256'], allowedIss: keys.issuer, allowedAud: keys.audience },
  })
  app.setErrorHandler<FastifyError>((error, _, reply) => {
    const status = error.statusCode ?? 500
    return refuse(reply, status, status < 500 ? error.message : 'Something went wrong.')
  })
  app.setNotFoundHandler((_, reply) => refuse(reply, 404, 'There is no such thing.'))
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    await request.jwtVerify()
  })
  projects(app, store)
  files(app, store)
  app.addHook('onClose', () => store.close())
  return app
}

function projects(app: FastifyInstance, store: Store): void {
  app.get<InProject>('/api/v1/projects/:id', { schema: SHOW_PROJECT }, async (request, reply) => {
    const data = await store.project(request.params.id, request.user.sub)
    if (data === null) return refuse(reply, 404, 'There is no such project.')
    return { success: true, data, meta: { requestId: request.id } }
  })
}

function files(app: FastifyInstance, store: Store): void {
  const url = '/api/v1/projects/:id/files/*'

  app.get<InFiles>(url, { schema: SHOW_FILE }, async (request, reply) => {
    const { id, '*': path } = request.params
    const file = await store.file(id, request.user.sub, path)
    if (file === null) return refuse(reply, 404, 'There is no such file.')
    reply.header('etag', `"${file.hash}"`)
    return { success: true, data: { ...file, encoding: 'utf-8' }, meta: { requestId: request.id } }
  })

  app.put<Writing>(url, { schema: WRITE_FILE }, async (request, reply) => {
    const { id, '*': path } = request.params
    const { content } = request.body
    const hash = createHash('sha256').update(content).digest('hex')
    const file = await store.write({
      projectId: id,
      userId: request.user.sub,
      path,
      content,
      size: Buffer.byteLength(content),
      hash,
    })
    if (file === 'NOT_FOUND') return refuse(reply, 404, 'There is no such project.')
    if (file === 'FORBIDDEN') return refuse(reply, 403, 'You may not change this project.')
    reply.code(file.version === 1 ? 201 : 200).header('etag', `"${file.hash}"`)
    return { success: true, data: { ...file, encoding: 'utf-8' }, meta: { requestId: request.id } }
  })
}
