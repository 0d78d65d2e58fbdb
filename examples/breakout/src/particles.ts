/** Sparks and floating words: nothing here changes the game, everything makes it feel alive. */

import type { Spot, World } from "./world";

const GRAVITY = 620;
const MOST_SPARKS = 360;
export const LABEL_LIFE = 0.9;

export function burst(world: World, at: Spot, colour: string, count: number): void {
  for (let n = 0; n < count && world.sparks.length < MOST_SPARKS; n += 1) {
    const angle = Math.random() * Math.PI * 2;
    const speed = 50 + Math.random() * 210;
    world.sparks.push({
      x: at.x,
      y: at.y,
      vx: Math.cos(angle) * speed,
      vy: Math.sin(angle) * speed - 60,
      age: 0,
      life: 0.35 + Math.random() * 0.45,
      size: 1.5 + Math.random() * 3,
      colour,
    });
  }
}

export function say(world: World, at: Spot, text: string, colour: string): void {
  world.labels.push({ x: at.x, y: at.y, age: 0, text, colour });
}

export function moveParticles(world: World, seconds: number): void {
  for (const spark of world.sparks) {
    spark.age += seconds;
    spark.vy += GRAVITY * seconds;
    spark.x += spark.vx * seconds;
    spark.y += spark.vy * seconds;
  }
  for (const label of world.labels) {
    label.age += seconds;
    label.y -= 46 * seconds;
  }
  world.sparks = world.sparks.filter((spark) => spark.age < spark.life);
  world.labels = world.labels.filter((label) => label.age < LABEL_LIFE);
  for (const brick of world.bricks) brick.flash = Math.max(0, brick.flash - seconds * 6);
  world.paddle.bump = Math.max(0, world.paddle.bump - seconds * 7);
  world.shake = Math.max(0, world.shake - seconds * 26);
}
