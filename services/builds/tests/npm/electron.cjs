// Runs an application's main.js with a stand-in for Electron that keeps what it was told, and asks
// its scheme for addresses.
"use strict";

const { EventEmitter } = require("node:events");
const Module = require("node:module");
const path = require("node:path");

const told = { handlers: {}, windows: [], privileged: [], isSandboxed: false };

class BrowserWindow extends EventEmitter {
  constructor(options) {
    super();
    told.windows.push({ ...options.webPreferences, title: options.title });
  }
  static getAllWindows() {
    return [];
  }
  loadURL(address) {
    told.address = address;
  }
}

const app = Object.assign(new EventEmitter(), {
  enableSandbox: () => (told.isSandboxed = true),
  requestSingleInstanceLock: () => true,
  whenReady: () => Promise.resolve(),
});
const electron = {
  app,
  BrowserWindow,
  Menu: { setApplicationMenu: () => undefined },
  protocol: {
    registerSchemesAsPrivileged: (schemes) => told.privileged.push(...schemes),
    handle: (scheme, serve) => (told.handlers[scheme] = serve),
  },
  session: {
    defaultSession: {
      setPermissionRequestHandler: (ask) => (told.ask = ask),
      setPermissionCheckHandler: () => undefined,
    },
  },
};

const load = Module._load;
Module._load = (name, ...rest) => (name === "electron" ? electron : load(name, ...rest));
require(path.resolve(process.argv[2], "main.js"));

async function asked([address, headers = {}]) {
  const answer = await told.handlers.game(new Request(address, { headers }));
  const body = Buffer.from(await answer.arrayBuffer()).toString();
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body };
}

function stays(event, address) {
  let isPrevented = false;
  const contents = Object.assign(new EventEmitter(), { setWindowOpenHandler: (open) => (contents.open = open) });
  app.emit("web-contents-created", {}, contents);
  contents.emit(event, { preventDefault: () => (isPrevented = true), url: address }, address);
  return { isPrevented, open: contents.open({ url: address }).action };
}

setImmediate(async () => {
  const permitted = {};
  for (const wanted of ["fullscreen", "media", "geolocation"]) told.ask({}, wanted, (is) => (permitted[wanted] = is));
  console.log(
    JSON.stringify({
      ...told,
      permitted,
      answers: await Promise.all(JSON.parse(process.argv[3]).map(asked)),
      away: stays("will-navigate", "https://example.org/"),
      home: stays("will-navigate", "game://site/other.html"),
      webview: stays("will-attach-webview", "game://site/"),
    }),
  );
});
