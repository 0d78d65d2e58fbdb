"use strict";

// The window that the game is played in. The game gets nothing of Node and nothing of this machine:
// it is a page of a scheme of its own, which reaches the files of its site and nothing beside them.

const { readFile } = require("node:fs/promises");
const path = require("node:path");
const { app, BrowserWindow, Menu, protocol, session } = require("electron");
const { game } = require("./package.json");

const SCHEME = "game";
const HOST = "site";
const ORIGIN = `${SCHEME}://${HOST}`;
const SITE = path.join(__dirname, "site");
const PERMITTED = new Set(["fullscreen", "pointerLock", "keyboardLock"]);

app.enableSandbox();
protocol.registerSchemesAsPrivileged([
  {
    scheme: SCHEME,
    privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true },
  },
]);

function headersOf(file) {
  const isolation = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  };
  return {
    "content-type": game.types[path.extname(file).toLowerCase()] ?? "application/octet-stream",
    "content-security-policy": game.policy,
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "accept-ranges": "bytes",
    ...(game.isIsolated ? isolation : {}),
  };
}

function fileOf(address) {
  const { host, pathname } = new URL(address);
  const named = decodeURIComponent(pathname).slice(1);
  const file = path.join(SITE, !named || named.endsWith("/") ? `${named}index.html` : named);
  if (host !== HOST || named.includes("\0") || !file.startsWith(SITE + path.sep)) return undefined;
  return file;
}

// sounds and videos are asked for in parts
function partOf(range, size) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? "") ?? [];
  if (!first && !last) return undefined;
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last), size - 1) : size - 1;
  return { start, end, isThere: start <= end };
}

async function serve(request) {
  if (request.method !== "GET" && request.method !== "HEAD") return new Response(null, { status: 405 });
  let file;
  let content;
  try {
    file = fileOf(request.url);
    content = file === undefined ? undefined : await readFile(file);
  } catch {
    content = undefined;
  }
  if (content === undefined) return new Response(null, { status: 404 });
  const headers = headersOf(file);
  const part = partOf(request.headers.get("range"), content.length);
  if (part && !part.isThere) {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${content.length}` } });
  }
  const sent = part ? content.subarray(part.start, part.end + 1) : content;
  if (part) headers["content-range"] = `bytes ${part.start}-${part.end}/${content.length}`;
  headers["content-length"] = String(sent.length);
  return new Response(request.method === "HEAD" ? null : sent, { status: part ? 206 : 200, headers });
}

function stay(event, address) {
  let isOurs = false;
  try {
    const { protocol: scheme, host } = new URL(address ?? event.url);
    isOurs = scheme === `${SCHEME}:` && host === HOST;
  } catch {
    isOurs = false;
  }
  if (!isOurs) event.preventDefault();
}

app.on("web-contents-created", (_, contents) => {
  contents.setWindowOpenHandler(() => ({ action: "deny" }));
  contents.on("will-navigate", stay);
  contents.on("will-frame-navigate", stay);
  contents.on("will-redirect", stay);
  contents.on("will-attach-webview", (event) => event.preventDefault());
});

function open() {
  const window = new BrowserWindow({
    title: game.title,
    width: 1280,
    height: 720,
    show: false,
    backgroundColor: "#000000",
    icon: path.join(__dirname, "icon.png"),
    webPreferences: {
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  });
  window.once("ready-to-show", () => window.show());
  window.loadURL(`${ORIGIN}/`);
}

if (app.requestSingleInstanceLock()) {
  app.on("second-instance", () => {
    const [window] = BrowserWindow.getAllWindows();
    if (window) window.focus();
  });
  app.on("window-all-closed", () => app.quit());
  app.whenReady().then(() => {
    Menu.setApplicationMenu(null);
    session.defaultSession.setPermissionRequestHandler((_, wanted, answer) => answer(PERMITTED.has(wanted)));
    session.defaultSession.setPermissionCheckHandler((_, wanted) => PERMITTED.has(wanted));
    protocol.handle(SCHEME, serve);
    open();
  });
} else {
  app.quit();
}
