// A certified OpenID provider with its own pages, and people that the tests tell it about.
//
//   node provider.mjs '{"redirects": [...], "terse": false}'
//
// prints its address. PUT /people/<login> with claims makes somebody, or changes what is said of
// them. A terse provider tells them at its userinfo endpoint alone, and not in ID tokens.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';

import { Provider } from 'oidc-provider';

const { redirects, terse } = JSON.parse(process.argv[2]);
const people = new Map();

const key = (kind, options, more) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
  use: 'sig',
  ...more,
});

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const client = (id, more) => ({
  client_id: id,
  client_secret: `${id}'s secret + 100 %`,
  redirect_uris: redirects,
  ...more,
});

const provider = new Provider(issuer, {
  clients: [
    client('worldloom', {}),
    client('worldloom-es256', {
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'client_secret_post',
    }),
  ],
  jwks: {
    keys: [
      key('rsa', { modulusLength: 2048 }, { kid: 'rsa', alg: 'RS256' }),
      key('ec', { namedCurve: 'P-256' }, { kid: 'ec', alg: 'ES256' }),
    ],
  },
  pkce: { required: () => true },
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'preferred_username', 'picture'],
  },
  conformIdTokenClaims: terse,
  cookies: { keys: ['of these tests'] },
  findAccount: (_, id) => people.has(id) && {
    accountId: id,
    claims: () => ({ sub: id, ...people.get(id) }),
  },
  ttl: { AuthorizationCode: 60 },
});

const pages = provider.callback();
server.on('request', async (request, response) => {
  const [, login] = /^\/people\/(.+)$/.exec(request.url) ?? [];
  if (login === undefined) {
    pages(request, response);
    return;
  }
  const body = await request.reduce((read, piece) => read + piece, '');
  people.set(decodeURIComponent(login), JSON.parse(body));
  response.writeHead(204).end();
});

console.log(issuer);
