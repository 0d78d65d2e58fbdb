// Takes a project as Cordova's command line does: reads its settings, makes the Android platform
// without a network, and prepares it.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { ConfigParser, events } = require("cordova-common");
const Api = require("cordova-android");

const root = path.resolve(process.argv[2]);
const warnings = [];
events.on("warn", (text) => warnings.push(String(text)));

async function main() {
  // as its user does
  process.chdir(root);
  const configured = path.join(root, "config.xml");
  const config = new ConfigParser(configured);
  const destination = path.join(root, "platforms", "android");
  fs.mkdirSync(path.dirname(destination), { recursive: true });
  await Api.createPlatform(destination, config, {}, events);
  const platform = new Api("android", destination, events);
  const www = path.join(root, "www");
  await platform.prepare({ root, projectConfig: config, locations: { www, rootConfigXml: configured } }, {});
  const below = (...names) => path.join(destination, "app", "src", "main", ...names);
  const read = (...names) => fs.readFileSync(below(...names), "utf8");
  const icons = fs.readdirSync(below("res"), { recursive: true }).filter((name) => /ic_launcher.*\.png$/.test(name));
  console.log(
    JSON.stringify({
      id: config.packageName(),
      name: config.name(),
      version: config.version(),
      description: config.description(),
      orientation: config.getPreference("Orientation"),
      icons: config.getIcons("android").map(({ src }) => src),
      splashes: config.getSplashScreens("ios").map(({ src }) => src),
      manifest: read("AndroidManifest.xml"),
      gradle: fs.readFileSync(path.join(destination, "app", "build.gradle"), "utf8").includes("cdvNamespace"),
      namespace: fs.readFileSync(path.join(destination, "cdv-gradle-config.json"), "utf8"),
      strings: read("res", "values", "cdv_strings.xml"),
      page: read("assets", "www", "index.html"),
      bridge: fs.existsSync(below("assets", "www", "cordova.js")),
      made: icons.length,
      warnings,
    }),
  );
}

main();
