-- what Hocuspocus stores: each document whole, and who may open which
CREATE TABLE document (
    name text PRIMARY KEY,
    data bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE member (
    project_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
