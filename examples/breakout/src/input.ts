/** Keyboard and pointer: what is held, and what was pressed once. */

import { FIELD } from "./config";
import type { Wish } from "./rules";

export interface Presses {
  readonly act: () => void;
  readonly pause: () => void;
  readonly mute: () => void;
}

export interface Input {
  readonly wish: () => Wish;
}

/** Even the shortest tap of a key lasts this long, in milliseconds, so that it is never lost. */
const SHORTEST_TAP = 60;
const LEFT = new Set(["ArrowLeft", "KeyA"]);
const RIGHT = new Set(["ArrowRight", "KeyD"]);
const ACT = new Set(["Space", "Enter", "ArrowUp"]);
const PAUSE = new Set(["KeyP", "Escape"]);

/** The corner of the field that turns the sound off and on. */
export const MUTE_BUTTON = { x: 756, y: 10, size: 34 } as const;

export function listen(canvas: HTMLCanvasElement, presses: Presses): Input {
  const held = new Set<string>();
  const pressedAt = new Map<string, number>();
  let aim: number | null = null;

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { code } = event;
    const isMove = LEFT.has(code) || RIGHT.has(code);
    if (isMove || ACT.has(code) || code === "ArrowDown") event.preventDefault();
    if (event.repeat) return;
    if (isMove) {
      held.add(code);
      pressedAt.set(code, event.timeStamp);
      aim = null;
    } else if (ACT.has(code)) presses.act();
    else if (PAUSE.has(code)) presses.pause();
    else if (code === "KeyM") presses.mute();
  });
  addEventListener("keyup", ({ code }) => held.delete(code));
  addEventListener("blur", () => held.clear());

  canvas.addEventListener("pointermove", (event) => {
    aim = spotOf(canvas, event).x;
  });
  canvas.addEventListener("pointerdown", (event) => {
    const spot = spotOf(canvas, event);
    canvas.focus();
    if (isMuteButton(spot)) return presses.mute();
    aim = spot.x;
    if (event.button === 0) presses.act();
  });

  const isDown = (keys: Set<string>): boolean =>
    [...keys].some(
      (code) => held.has(code) || performance.now() - (pressedAt.get(code) ?? -1e9) < SHORTEST_TAP,
    );
  return { wish: () => ({ way: Number(isDown(RIGHT)) - Number(isDown(LEFT)), aim }) };
}

function spotOf(canvas: HTMLCanvasElement, event: PointerEvent): { x: number; y: number } {
  const frame = canvas.getBoundingClientRect();
  return {
    x: ((event.clientX - frame.left) / frame.width) * FIELD.width,
    y: ((event.clientY - frame.top) / frame.height) * FIELD.height,
  };
}

function isMuteButton({ x, y }: { x: number; y: number }): boolean {
  const { x: left, y: top, size } = MUTE_BUTTON;
  return x >= left && x <= left + size && y >= top && y <= top + size;
}
