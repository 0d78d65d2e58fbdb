/** Reads the level file and lays its bricks. A mistake in the file is named, not drawn. */

import { WALL } from "./config";
import data from "./levels.json";

export interface BrickKind {
  readonly sprite: string;
  readonly colour: string;
  readonly points: number;
  /** How many hits it takes; zero is a brick that nothing breaks. */
  readonly hits: number;
}

export interface Brick {
  readonly x: number;
  readonly y: number;
  readonly column: number;
  readonly row: number;
  readonly kind: BrickKind;
  hitsLeft: number;
  flash: number;
}

export interface Level {
  readonly name: string;
  readonly speed: number;
  readonly rows: readonly string[];
}

const EMPTY = ".";
const kinds = new Map<string, BrickKind>(Object.entries(data.bricks));

export const levels: readonly Level[] = data.levels.map(checked);

export function lay(level: Level): Brick[] {
  return level.rows.flatMap((cells, row) =>
    [...cells].flatMap((letter, column) => {
      const kind = kinds.get(letter);
      return kind ? [brickAt(kind, row, column)] : [];
    }),
  );
}

function brickAt(kind: BrickKind, row: number, column: number): Brick {
  const x = WALL.left + column * WALL.stepX;
  const y = WALL.top + row * WALL.stepY;
  return { x, y, column, row, kind, hitsLeft: kind.hits, flash: 0 };
}

function checked(level: Level): Level {
  if (level.rows.length > WALL.rows) {
    throw new Error(`Level "${level.name}" has more than ${WALL.rows} rows.`);
  }
  for (const [index, cells] of level.rows.entries()) {
    if (cells.length !== WALL.columns) {
      throw new Error(`Level "${level.name}", row ${index + 1}: ${WALL.columns} bricks, please.`);
    }
    for (const letter of cells) {
      if (letter !== EMPTY && !kinds.has(letter)) {
        throw new Error(`Level "${level.name}", row ${index + 1}: no brick is called "${letter}".`);
      }
    }
  }
  return level;
}
