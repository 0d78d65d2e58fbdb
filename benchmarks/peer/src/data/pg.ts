/** The data layer on `pg`: one named prepared statement for each request. */
import pg from 'pg'
import type { FileFacts, Project, Refusal, Store, StoredFile, Write } from '../store.js'
import { FILE_CHANGED } from '../store.js'

const ROLE = `CASE WHEN p.user_id = $2 THEN 'owner' ELSE coalesce(c.role, 'viewer') END`
const SEEN = `FROM projects p LEFT JOIN collaborators c ON c.project_id = p.id AND c.user_id = $2`
const MAY_READ = `(p.user_id = $2 OR p.is_public OR c.role IS NOT NULL)`
const MAY_WRITE = `(p.user_id = $2 OR c.role IN ('owner', 'editor'))`

const PROJECT = `
  SELECT p.id, p.user_id, p.name, p.description, p.thumbnail_url, p.is_public, p.settings,
         ${ROLE} AS role, p.created_at, p.updated_at
  ${SEEN} WHERE p.id = $1 AND ${MAY_READ}`

const FILE = `
  SELECT f.path, f.size, f.hash, f.version, f.content, f.updated_at, f.updated_by
  ${SEEN} JOIN project_files f ON f.project_id = p.id AND f.path = $3
  WHERE p.id = $1 AND ${MAY_READ}`

// Access check, upsert and outbox row in one statement, which is one transaction.
const WRITE = `
  WITH written AS (
    INSERT INTO project_files AS f (project_id, path, content, size, hash, updated_by)
    SELECT p.id, $3, $4, $5, $6, $2 ${SEEN} WHERE p.id = $1 AND ${MAY_WRITE}
    ON CONFLICT (project_id, path) DO UPDATE SET content = excluded.content,
      size = excluded.size, hash = excluded.hash, version = f.version + 1,
      updated_by = excluded.updated_by, updated_at = now()
    RETURNING f.path, f.size, f.hash, f.version, f.updated_at, f.updated_by
  ), announced AS (
    INSERT INTO outbox (subject, payload)
    SELECT '${FILE_CHANGED}', jsonb_build_object('projectId', $1::uuid, 'path', path,
      'hash', hash, 'version', version, 'userId', updated_by) FROM written
  )
  SELECT * FROM written`

const VISIBLE = `SELECT 1 ${SEEN} WHERE p.id = $1 AND ${MAY_READ}`

interface FileRow {
  path: string
  size: number
  hash: string
  version: number
  content: string
  updated_at: Date
  updated_by: string
}

const facts = (row: FileRow): FileFacts => ({
  path: row.path,
  size: row.size,
  hash: row.hash,
  version: row.version,
  updatedAt: row.updated_at,
  updatedBy: row.updated_by,
})

export function pgStore(connectionString: string, connections: number): Store {
  const pool = new pg.Pool({ connectionString, max: connections })

  return {
    async project(projectId, userId): Promise<Project | null> {
      const { rows } = await pool.query({ name: 'project', text: PROJECT, values: [projectId, userId] })
      const row = rows[0]
      return row === undefined
        ? null
        : {
            id: row.id,
            userId: row.user_id,
            name: row.name,
            description: row.description,
            thumbnailUrl: row.thumbnail_url,
            isPublic: row.is_public,
            settings: row.settings,
            role: row.role,
            createdAt: row.created_at,
            updatedAt: row.updated_at,
          }
    },

    async file(projectId, userId, path): Promise<StoredFile | null> {
      const { rows } = await pool.query<FileRow>({ name: 'file', text: FILE, values: [projectId, userId, path] })
      const row = rows[0]
      return row === undefined ? null : { ...facts(row), content: row.content }
    },

    async write(w: Write): Promise<FileFacts | Refusal> {
      const values = [w.projectId, w.userId, w.path, w.content, w.size, w.hash]
      const { rows } = await pool.query<FileRow>({ name: 'write', text: WRITE, values })
      if (rows[0] !== undefined) return facts(rows[0])
      const seen = await pool.query({ name: 'visible', text: VISIBLE, values: [w.projectId, w.userId] })
      return seen.rowCount ? 'FORBIDDEN' : 'NOT_FOUND'
    },

    close: () => pool.end(),
  }
}
