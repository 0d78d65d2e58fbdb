/** JSON schemas of the routes: Fastify checks requests and writes answers by them. */

const uuid = { type: 'string', format: 'uuid' } as const
const time = { type: 'string', format: 'date-time' } as const
const text = { type: 'string' } as const
const meta = { type: 'object', properties: { requestId: text } } as const

const project = {
  type: 'object',
  properties: {
    id: text,
    userId: text,
    name: text,
    description: text,
    thumbnailUrl: { type: 'string', nullable: true },
    isPublic: { type: 'boolean' },
    settings: { type: 'object', additionalProperties: true },
    role: text,
    createdAt: time,
    updatedAt: time,
  },
} as const

const written = {
  path: text,
  size: { type: 'integer' },
  hash: text,
  version: { type: 'integer' },
  encoding: text,
  updatedAt: time,
  updatedBy: text,
} as const

const facts = { type: 'object', properties: written } as const
const file = { type: 'object', properties: { ...written, content: text } } as const

const answer = <T>(data: T) =>
  ({ type: 'object', properties: { success: { type: 'boolean' }, data, meta } }) as const

const projectParams = { type: 'object', required: ['id'], properties: { id: uuid } } as const
const fileParams = {
  type: 'object',
  required: ['id', '*'],
  properties: { id: uuid, '*': { type: 'string', minLength: 1, maxLength: 500 } },
} as const
const body = {
  type: 'object',
  required: ['content'],
  additionalProperties: false,
  properties: { content: text, encoding: { type: 'string', enum: ['utf-8'] } },
} as const

export const SHOW_PROJECT = { params: projectParams, response: { 200: answer(project) } }
export const SHOW_FILE = { params: fileParams, response: { 200: answer(file) } }
export const WRITE_FILE = {
  params: fileParams,
  body,
  response: { 200: answer(facts), 201: answer(facts) },
}
