// Keeps the game for when there is no network. A file is kept under its hash, and none other than
// that of this list; nothing is kept that only some may see, and all is forgotten when the page is
// refused.
const HERE = self.registration.scope;
const CACHE = `game ${HERE}`;
const REFUSED = new Set([401, 403, 404, 410]);

const addressOf = (path) => new URL(path.split("/").map(encodeURIComponent).join("/"), HERE).href;
const keyOf = (path) => `${addressOf(path)}?sha256=${encodeURIComponent(FILES[path])}`;

function pathOf(address) {
  const url = new URL(address);
  const bare = url.origin + url.pathname;
  if (!bare.startsWith(HERE)) return undefined;
  try {
    const path = decodeURIComponent(bare.slice(HERE.length));
    const named = !path || path.endsWith("/") ? `${path}index.html` : path;
    return Object.hasOwn(FILES, named) ? named : undefined;
  } catch {
    return undefined;
  }
}

function mayKeep(response) {
  const caching = response.headers.get("cache-control") ?? "";
  return response.status === 200 && response.type === "basic" && !/\b(private|no-store)\b/i.test(caching);
}

async function fetched(path) {
  const integrity = `sha256-${FILES[path]}`;
  try {
    return await fetch(addressOf(path), { integrity });
  } catch {
    // another edition of it may lie in the browser's own cache
    return await fetch(addressOf(path), { integrity, cache: "reload" });
  }
}

async function fill() {
  const cache = await caches.open(CACHE);
  for (const path of KEPT) {
    if (await cache.match(keyOf(path))) continue;
    const response = await fetched(path);
    if (!mayKeep(response)) throw new Error(`${path} may not be kept`);
    await cache.put(keyOf(path), response);
  }
}

async function install() {
  try {
    await fill();
  } catch (error) {
    if (!self.registration.active) await caches.delete(CACHE);
    throw error;
  }
}

async function tidy() {
  const cache = await caches.open(CACHE);
  const known = new Set(Object.keys(FILES).map(keyOf));
  for (const { url } of await cache.keys()) {
    if (!known.has(url)) await cache.delete(url);
  }
  await fill().catch(() => undefined);
}

async function forget() {
  await caches.delete(CACHE);
  await self.registration.unregister();
}

async function kept(path) {
  return (await caches.open(CACHE)).match(keyOf(path));
}

async function isListed(path, body) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return btoa(String.fromCharCode(...digest)) === FILES[path];
}

// what is not kept yet is kept when it was needed, if it is what the list says
async function keep(path, response) {
  const body = await response.arrayBuffer();
  if (!(await isListed(path, body))) return;
  await (await caches.open(CACHE)).put(keyOf(path), new Response(body, response));
}

async function page(request, path) {
  let response;
  try {
    response = await fetch(request);
  } catch {
    return (await kept(path)) ?? Response.error();
  }
  if (response.status >= 500) return (await kept(path)) ?? response;
  if (REFUSED.has(response.status) || (response.ok && !mayKeep(response))) {
    await forget();
  } else if (response.ok && !(await isListed(path, await response.clone().arrayBuffer()))) {
    // a new edition of the game: nothing of the old one goes with its page
    await caches.delete(CACHE);
  }
  return response;
}

async function file(event, path) {
  const found = await kept(path);
  if (found) return partOf(found, event.request.headers.get("range"));
  const response = await fetch(event.request);
  if (mayKeep(response)) event.waitUntil(keep(path, response.clone()));
  return response;
}

// sounds and videos are asked for in parts
async function partOf(response, range) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  if (!first) return response;
  const body = await response.blob();
  const start = Number(first);
  const end = last ? Math.min(Number(last), body.size - 1) : body.size - 1;
  if (start > end) return new Response(null, { status: 416, headers: { "content-range": `bytes */${body.size}` } });
  const headers = new Headers(response.headers);
  headers.set("content-range", `bytes ${start}-${end}/${body.size}`);
  headers.set("content-length", String(end - start + 1));
  headers.delete("content-encoding");
  return new Response(body.slice(start, end + 1), { status: 206, headers });
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = request.method === "GET" ? pathOf(request.url) : undefined;
  if (path === undefined) return;
  event.respondWith(request.mode === "navigate" ? page(request, path) : file(event, path));
});
