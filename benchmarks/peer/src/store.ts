/** What the routes need of a data layer; `data/pg.ts` and `data/prisma.ts` each give it. */

export interface Project {
  id: string
  userId: string
  name: string
  description: string
  thumbnailUrl: string | null
  isPublic: boolean
  settings: unknown
  role: string
  createdAt: Date
  updatedAt: Date
}

export interface FileFacts {
  path: string
  size: number
  hash: string
  version: number
  updatedAt: Date
  updatedBy: string
}

export interface StoredFile extends FileFacts {
  content: string
}

export interface Write {
  projectId: string
  userId: string
  path: string
  content: string
  size: number
  hash: string
}

export type Refusal = 'NOT_FOUND' | 'FORBIDDEN'

export interface Store {
  project(projectId: string, userId: string): Promise<Project | null>
  file(projectId: string, userId: string, path: string): Promise<StoredFile | null>
  /** Check the right to write, upsert, announce: all or nothing. */
  write(write: Write): Promise<FileFacts | Refusal>
  close(): Promise<void>
}

export const WRITERS = ['owner', 'editor']
export const FILE_CHANGED = 'projects.file.changed.v1'
