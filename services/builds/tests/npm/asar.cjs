// Reads an archive by Electron's own package: extracts it, computes its integrity anew, and packs
// what came out once more.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const asar = require("@electron/asar");
const { getFileIntegrity } = require("@electron/asar/lib/integrity");

const [archive, folder] = process.argv.slice(2);

function leaves(tree, below = "") {
  return Object.entries(tree.files).flatMap(([name, node]) =>
    node.files ? leaves(node, `${below}${name}/`) : [[`${below}${name}`, node.size, node.integrity]],
  );
}

async function main() {
  const theirs = leaves(asar.getRawHeader(archive).header);
  asar.extractAll(archive, folder);
  const wrong = [];
  for (const [file, size, integrity] of theirs) {
    const found = path.join(folder, file);
    const computed = await getFileIntegrity(fs.createReadStream(found));
    if (fs.statSync(found).size !== size) wrong.push(file);
    if (JSON.stringify(computed) !== JSON.stringify(integrity)) wrong.push(file);
  }
  await asar.createPackage(folder, `${archive}.again`);
  const again = leaves(asar.getRawHeader(`${archive}.again`).header);
  const sorted = (list) => JSON.stringify([...list].sort(([a], [b]) => (a < b ? -1 : 1)));
  const listed = asar.listPackage(archive).filter((name) => theirs.some(([file]) => `/${file}` === name));
  console.log(
    JSON.stringify({
      files: theirs.map(([file]) => file),
      blocks: Object.fromEntries(theirs.map(([file, , { blocks }]) => [file, blocks.length])),
      listed: listed.length,
      wrong,
      isSameAsTheirs: sorted(theirs) === sorted(again),
    }),
  );
}

main();
