/** The data layer on Prisma, through its pg adapter. */
import { createHash } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from '../../generated/client.js'
import type { FileFacts, Project, Refusal, Store, StoredFile, Write } from '../store.js'
import { FILE_CHANGED, WRITERS } from '../store.js'

const FACTS = { path: true, size: true, hash: true, version: true, updatedAt: true, updatedBy: true } as const

const readable = (userId: string) => [
  { userId },
  { isPublic: true },
  { collaborators: { some: { userId } } },
]

/** Names let `pg` keep the statements that Prisma sends prepared; the adapter does not by itself. */
function names() {
  const known = new Map<string, string>()
  return ({ sql }: { sql: string }): string => {
    let name = known.get(sql)
    if (name === undefined) {
      name = createHash('sha1').update(sql).digest('base64url')
      known.set(sql, name)
    }
    return name
  }
}

export function prismaStore(connectionString: string, connections: number): Store {
  const adapter = new PrismaPg(
    { connectionString, max: connections },
    { statementNameGenerator: names() },
  )
  const prisma = new PrismaClient({ adapter, transactionOptions: { maxWait: 10_000, timeout: 10_000 } })

  return {
    async project(projectId, userId): Promise<Project | null> {
      const found = await prisma.project.findFirst({
        where: { id: projectId, OR: readable(userId) },
        include: { collaborators: { where: { userId }, select: { role: true } } },
      })
      if (found === null) return null
      const { collaborators, ...project } = found
      const role = project.userId === userId ? 'owner' : (collaborators[0]?.role ?? 'viewer')
      return { ...project, role }
    },

    async file(projectId, userId, path): Promise<StoredFile | null> {
      return prisma.file.findFirst({
        where: { projectId, path, project: { OR: readable(userId) } },
        select: { ...FACTS, content: true },
      })
    },

    async write(w: Write): Promise<FileFacts | Refusal> {
      const { projectId, userId, path, content, size, hash } = w
      return prisma.$transaction(async (tx) => {
        const project = await tx.project.findFirst({
          where: { id: projectId, OR: readable(userId) },
          select: { userId: true, collaborators: { where: { userId }, select: { role: true } } },
        })
        if (project === null) return 'NOT_FOUND'
        const role = project.userId === userId ? 'owner' : project.collaborators[0]?.role
        if (role === undefined || !WRITERS.includes(role)) return 'FORBIDDEN'
        const file = await tx.file.upsert({
          where: { projectId_path: { projectId, path } },
          create: { projectId, path, content, size, hash, updatedBy: userId },
          update: { content, size, hash, updatedBy: userId, updatedAt: new Date(), version: { increment: 1 } },
          select: FACTS,
        })
        const payload = { projectId, path, hash, version: file.version, userId }
        await tx.event.create({ data: { subject: FILE_CHANGED, payload }, select: { id: true } })
        return file
      })
    },

    close: () => prisma.$disconnect(),
  }
}
