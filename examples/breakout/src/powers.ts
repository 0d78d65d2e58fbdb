/** What falls out of bricks, and what it does to whoever catches it. */

import { BALL, FIELD, PADDLE, POWER, RULES, WALL } from "./config";
import type { Brick } from "./levels";
import { burst, say } from "./particles";
import { ballSpeed, type Ball, type Drop, type PowerKind, type World } from "./world";

/** Each kind as often as it stands here. */
const bag: readonly PowerKind[] = [
  "wide", "wide", "wide",
  "multi", "multi", "multi",
  "slow", "slow",
  "laser", "laser",
  "life",
];

export const powerColours: Record<PowerKind, string> = {
  wide: "#5fe08a",
  multi: "#5bb8ff",
  slow: "#b98cff",
  laser: "#ffa64d",
  life: "#ff6f91",
};

const words: Record<PowerKind, string> = {
  wide: "Wide paddle",
  multi: "Three balls",
  slow: "Slow motion",
  laser: "Lasers",
  life: "One more life",
};

export function maybeDrop(world: World, brick: Brick): void {
  if (Math.random() >= POWER.chance) return;
  const kind = bag[Math.floor(Math.random() * bag.length)] ?? "wide";
  const x = brick.x + WALL.brickWidth / 2;
  world.drops.push({ kind, x, y: brick.y + WALL.brickHeight / 2, age: 0 });
}

export function movePowers(world: World, seconds: number): void {
  for (const drop of world.drops) {
    drop.age += seconds;
    drop.y += POWER.fall * seconds;
  }
  const caught = world.drops.filter((drop) => isCaught(world, drop));
  world.drops = world.drops.filter(
    (drop) => !caught.includes(drop) && drop.y < FIELD.height + POWER.size,
  );
  for (const drop of caught) take(world, drop);
  for (const name of ["wide", "slow", "laser"] as const) {
    world.powers[name] = Math.max(0, world.powers[name] - seconds);
  }
  fire(world, seconds);
}

function isCaught(world: World, drop: Drop): boolean {
  const { paddle } = world;
  const across = Math.abs(drop.x - paddle.x) < paddle.width / 2 + POWER.size / 3;
  return across && drop.y + POWER.size / 3 > paddle.y && drop.y < paddle.y + PADDLE.height;
}

function take(world: World, drop: Drop): void {
  const { kind } = drop;
  world.score += POWER.points;
  world.cues.push("power");
  burst(world, drop, powerColours[kind], 16);
  say(world, { x: drop.x, y: world.paddle.y - 26 }, words[kind], powerColours[kind]);
  if (kind === "multi") split(world);
  else if (kind === "life") world.lives = Math.min(world.lives + 1, RULES.mostLives);
  else world.powers[kind] = POWER[kind];
}

/** Each flying ball becomes three; a ball that waits for its serve stays one. */
function split(world: World): void {
  for (const ball of world.balls.filter((one) => one.heldAt === null)) {
    for (const turn of [-0.42, 0.42]) {
      if (world.balls.length < RULES.mostBalls) world.balls.push(turned(ball, turn));
    }
  }
}

function turned(ball: Ball, turn: number): Ball {
  const { x, y, vx, vy } = ball;
  return {
    x,
    y,
    vx: vx * Math.cos(turn) - vy * Math.sin(turn),
    vy: vx * Math.sin(turn) + vy * Math.cos(turn),
    heldAt: null,
    bored: 0,
    trail: [],
  };
}

function fire(world: World, seconds: number): void {
  for (const bolt of world.bolts) bolt.y -= POWER.boltSpeed * seconds;
  world.bolts = world.bolts.filter((bolt) => bolt.y > FIELD.top);
  world.boltWait -= seconds;
  const isServing = world.balls.every((ball) => ball.heldAt !== null);
  if (world.powers.laser <= 0 || world.boltWait > 0 || isServing) return;
  world.boltWait = POWER.boltEvery;
  const { x, y, width } = world.paddle;
  world.bolts.push({ x: x - width / 2 + 13, y }, { x: x + width / 2 - 13, y });
  world.cues.push("laser");
}

/** How fast balls fly now, given how fast they would. */
export function paceOf(world: World, speed: number): number {
  const top = Math.min(speed, BALL.topSpeed);
  return world.powers.slow > 0 ? Math.min(top, ballSpeed(world)) * BALL.slowed : top;
}
