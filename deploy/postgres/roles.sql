-- A role and a schema of the same name for each service: it owns its schema and has no rights elsewhere.
-- Idempotent; run by a superuser, connected to the fleet's database, before any migration.
-- The passwords come as settings of the session: worldloom.<service>_password.

-- the trigram search needs an extension, which no service may install
CREATE SCHEMA IF NOT EXISTS extensions;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA extensions;

DO $$
DECLARE
  service text;
BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  REVOKE ALL ON SCHEMA public FROM PUBLIC;

  FOREACH service IN ARRAY ARRAY['auth', 'projects', 'assets', 'builds', 'collab', 'registry'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
      EXECUTE format('CREATE ROLE %I', service);
    END IF;
    EXECUTE format(
      'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS '
      'CONNECTION LIMIT 60 PASSWORD %L',
      service, current_setting('worldloom.' || service || '_password'));
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), service);

    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', service);
    EXECUTE format('ALTER SCHEMA %I OWNER TO %I', service, service);
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', service);
    EXECUTE format('GRANT USAGE ON SCHEMA extensions TO %I', service);

    EXECUTE format('ALTER ROLE %I SET search_path = %I, extensions', service, service);
    EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', service, '5s');
    EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', service, '4s');
    EXECUTE format(
      'ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', service, '30s');
    -- an answer of 2xx is a promise: it follows the disk
    EXECUTE format('ALTER ROLE %I SET synchronous_commit = on', service);
    EXECUTE format('ALTER ROLE %I SET timezone = %L', service, 'UTC');
  END LOOP;
END $$;

-- The ledger of what happened to accounts: a role that nobody can log in as owns it, and the service auth may look and
-- add, and no more. No migration reaches it: whatever changes its shape stands here, as idempotent as the rest.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'auth_audit') THEN
    CREATE ROLE auth_audit;
  END IF;
  ALTER ROLE auth_audit NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
  IF pg_has_role('auth', 'auth_audit', 'MEMBER') THEN
    REVOKE auth_audit FROM auth;
  END IF;

  CREATE SCHEMA IF NOT EXISTS auth_audit;
  CREATE TABLE IF NOT EXISTS auth_audit.entry (
    sequence bigint PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    account_id uuid NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    address text NOT NULL,
    user_agent text NOT NULL,
    request_id text NOT NULL,
    details jsonb NOT NULL,
    at timestamptz NOT NULL,
    salt bytea NOT NULL,
    personal bytea NOT NULL,
    -- an entry has one that follows it: the chain cannot fork
    previous bytea NOT NULL UNIQUE,
    hash bytea NOT NULL UNIQUE
  );
  CREATE INDEX IF NOT EXISTS ix_entry_account_id_id ON auth_audit.entry (account_id, id);

  ALTER SCHEMA auth_audit OWNER TO auth_audit;
  ALTER TABLE auth_audit.entry OWNER TO auth_audit;
  REVOKE ALL ON SCHEMA auth_audit FROM PUBLIC, auth;
  REVOKE ALL ON auth_audit.entry FROM PUBLIC, auth;
  GRANT USAGE ON SCHEMA auth_audit TO auth;
  GRANT SELECT, INSERT ON auth_audit.entry TO auth;
END $$;
