/** Puts the parts together and turns the clock. */

import { loadPictures } from "./assets";
import { RULES } from "./config";
import { listen } from "./input";
import { act, step, togglePause } from "./rules";
import { createScene } from "./scene";
import { createSound } from "./sound";
import { keep, recall } from "./store";
import { createWorld, type World } from "./world";

const canvas = document.querySelector<HTMLCanvasElement>("#game");
if (!canvas) throw new Error("The page has no canvas called game.");

const kept = recall();
const world = createWorld(kept.best);
const scene = createScene(canvas);
const sound = createSound(kept.muted);
let isMuted = kept.muted;

const input = listen(canvas, {
  act: () => {
    sound.wake();
    act(world);
  },
  pause: () => togglePause(world),
  mute: () => {
    sound.wake();
    isMuted = !isMuted;
    sound.setMuted(isMuted);
    keep({ best: world.best, muted: isMuted });
  },
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden && world.phase === "playing") world.paused = true;
});

void loadPictures().then((missing) => {
  document.body.dataset["missing"] = missing.join(" ");
  document.body.dataset["ready"] = "true";
});

let last = performance.now();
let owed = 0;
let best = world.best;

function turn(now: number): void {
  owed += Math.min((now - last) / 1000, RULES.longestFrame);
  last = now;
  for (; owed >= RULES.step; owed -= RULES.step) step(world, input.wish(), RULES.step);
  sing(world);
  if (world.best !== best) {
    best = world.best;
    keep({ best, muted: isMuted });
  }
  scene.draw(world, isMuted);
  show(world);
  requestAnimationFrame(turn);
}

/** A chain of bricks climbs the scale. */
function sing(from: World): void {
  const height = 1 + Math.min(from.chain, 12) / 24;
  for (const cue of from.cues) sound.play(cue, cue === "break" ? height : 1);
  from.cues = [];
}

/** What a page around the game, or a test, may want to know. */
function show(from: World): void {
  const facts: Record<string, string | number | boolean> = {
    state: from.phase,
    score: from.score,
    lives: from.lives,
    level: from.level + 1,
    bricks: from.bricks.length,
    paused: from.paused,
    muted: isMuted,
    paddleX: Math.round(from.paddle.x),
  };
  for (const [name, fact] of Object.entries(facts)) {
    const text = String(fact);
    if (document.body.dataset[name] !== text) document.body.dataset[name] = text;
  }
}

requestAnimationFrame(turn);
