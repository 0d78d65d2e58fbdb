/** What there is at one moment of a game. */

import { BALL, FIELD, PADDLE, RULES } from "./config";
import { type Brick, lay, levels } from "./levels";

export type Phase = "title" | "playing" | "over" | "won";
export type PowerKind = "wide" | "multi" | "slow" | "laser" | "life";
export type Cue = "bounce" | "break" | "power" | "laser" | "lose" | "win";

export interface Spot {
  x: number;
  y: number;
}

export interface Ball extends Spot {
  vx: number;
  vy: number;
  /** Where on the paddle it waits for the serve; nothing while it flies. */
  heldAt: number | null;
  /** Bounces since it last broke something. */
  bored: number;
  trail: Spot[];
}

export interface Paddle extends Spot {
  width: number;
  vx: number;
  /** How much it still gives under the last hit, from 1 down to 0. */
  bump: number;
}

export interface Drop extends Spot {
  readonly kind: PowerKind;
  age: number;
}

export interface Spark extends Spot {
  vx: number;
  vy: number;
  age: number;
  readonly life: number;
  readonly size: number;
  readonly colour: string;
}

export interface Label extends Spot {
  age: number;
  readonly text: string;
  readonly colour: string;
}

export interface World {
  phase: Phase;
  paused: boolean;
  level: number;
  score: number;
  best: number;
  lives: number;
  chain: number;
  time: number;
  levelTime: number;
  /** Seconds for which the level's name or its end is still announced. */
  banner: number;
  cleared: boolean;
  shake: number;
  paddle: Paddle;
  balls: Ball[];
  bricks: Brick[];
  drops: Drop[];
  bolts: Spot[];
  sparks: Spark[];
  labels: Label[];
  /** Seconds left of each power that passes. */
  powers: Record<"wide" | "slow" | "laser", number>;
  boltWait: number;
  /** What should be heard; whoever plays it empties it. */
  cues: Cue[];
}

export function createWorld(best: number): World {
  const world: World = {
    phase: "title",
    paused: false,
    level: 0,
    score: 0,
    best,
    lives: RULES.lives,
    chain: 0,
    time: 0,
    levelTime: 0,
    banner: 0,
    cleared: false,
    shake: 0,
    paddle: { x: FIELD.width / 2, y: PADDLE.y, width: PADDLE.width, vx: 0, bump: 0 },
    balls: [],
    bricks: [],
    drops: [],
    bolts: [],
    sparks: [],
    labels: [],
    powers: { wide: 0, slow: 0, laser: 0 },
    boltWait: 0,
    cues: [],
  };
  openLevel(world, 0);
  return world;
}

export function openLevel(world: World, index: number): void {
  const level = levels[index];
  if (!level) throw new Error(`There is no level ${index + 1}.`);
  world.level = index;
  world.levelTime = 0;
  world.cleared = false;
  world.bricks = lay(level);
  world.banner = RULES.banner;
  serve(world);
}

/** Puts one ball on the paddle and takes every power away. */
export function serve(world: World): void {
  world.chain = 0;
  world.drops = [];
  world.bolts = [];
  world.powers = { wide: 0, slow: 0, laser: 0 };
  world.balls = [
    { x: world.paddle.x, y: restingHeight, vx: 0, vy: 0, heldAt: 14, bored: 0, trail: [] },
  ];
}

export const restingHeight = PADDLE.y - BALL.radius;

export function ballSpeed(world: World): number {
  const pace = levels[world.level]?.speed ?? 1;
  return BALL.speed * pace;
}
