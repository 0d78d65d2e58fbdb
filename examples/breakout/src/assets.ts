/** Pictures by name. One that is late or missing is simply not there: shapes are drawn instead. */

const NAMES = [
  "paddle",
  "ball",
  "brick-coral",
  "brick-amber",
  "brick-lime",
  "brick-sky",
  "brick-violet",
  "brick-stone",
  "brick-stone-cracked",
  "brick-steel",
  "power-wide",
  "power-multi",
  "power-slow",
  "power-laser",
  "power-life",
] as const;

const pictures = new Map<string, HTMLImageElement>();

/** Starts to load every picture; resolves with the names of those that could not be had. */
export async function loadPictures(): Promise<string[]> {
  const outcomes = await Promise.all(NAMES.map(load));
  return NAMES.filter((_, at) => !outcomes[at]);
}

export function picture(name: string): HTMLImageElement | undefined {
  return pictures.get(name);
}

async function load(name: string): Promise<boolean> {
  const image = new Image();
  image.src = `assets/${name}.png`;
  try {
    await image.decode();
  } catch {
    return false;
  }
  pictures.set(name, image);
  return true;
}
