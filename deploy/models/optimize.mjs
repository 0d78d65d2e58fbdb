// Makes a model smaller: reads one from file 3, writes it to file 4, says what it is on file 5.
// It is started with leave to read its own folder alone, and without a network.
import { readFileSync, writeFileSync, writeSync } from "node:fs";
import { Logger, NodeIO } from "@gltf-transform/core";
import { ALL_EXTENSIONS } from "@gltf-transform/extensions";
import { dedup, join, meshopt, prune, quantize, resample, weld } from "@gltf-transform/functions";
import { MeshoptDecoder, MeshoptEncoder } from "meshoptimizer";

const [SOURCE, TARGET, REPLY] = [3, 4, 5];
const { mimeType, level } = JSON.parse(process.argv[2]);

// what changes nothing that can be seen; then what rounds coordinates; then what packs them
const STEPS = {
  lossless: () => [dedup(), prune({ keepAttributes: true, keepLeaves: true })],
  web: () => [dedup(), prune(), resample(), join(), weld(), quantize()],
  mobile: () => [dedup(), prune(), resample(), join(), weld(), meshopt({ encoder: MeshoptEncoder })],
};

async function main() {
  await Promise.all([MeshoptDecoder.ready, MeshoptEncoder.ready]);
  const io = new NodeIO()
    .setLogger(new Logger(Logger.Verbosity.SILENT))
    .registerExtensions(ALL_EXTENSIONS)
    .registerDependencies({
      "meshopt.decoder": MeshoptDecoder,
      "meshopt.encoder": MeshoptEncoder,
    });
  const model = await read(io, readFileSync(SOURCE));
  model.setLogger(io.getLogger?.() ?? new Logger(Logger.Verbosity.SILENT));
  await model.transform(...STEPS[level]());
  writeFileSync(TARGET, await io.writeBinary(model));
  return { facts: { mimeType: "model/gltf-binary" } };
}

async function read(io, bytes) {
  if (mimeType === "model/gltf-binary") {
    return io.readBinary(new Uint8Array(bytes));
  }
  const json = JSON.parse(bytes.toString("utf-8"));
  for (const part of [...(json.buffers ?? []), ...(json.images ?? [])]) {
    if (part.uri && !part.uri.startsWith("data:")) {
      throw new Error(`It names another file: ${part.uri}`);
    }
  }
  return io.readJSON({ json, resources: {} });
}

let said;
try {
  said = await main();
} catch (error) {
  said = { error: String(error).slice(0, 500) };
}
writeSync(REPLY, JSON.stringify(said));
