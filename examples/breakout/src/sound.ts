/** Sound effects. Where a file is missing, a plain tone stands in. */

import type { Cue } from "./world";

const TONES: Record<Cue, { pitch: number; seconds: number }> = {
  bounce: { pitch: 360, seconds: 0.06 },
  break: { pitch: 980, seconds: 0.09 },
  power: { pitch: 700, seconds: 0.25 },
  laser: { pitch: 1300, seconds: 0.08 },
  lose: { pitch: 180, seconds: 0.5 },
  win: { pitch: 880, seconds: 0.6 },
};
const CUES = Object.keys(TONES) as Cue[];
const VOLUME = 0.5;
/** The same sound is not started again within this many seconds: it would only get louder. */
const SHORTEST_GAP = 0.035;

export interface Sound {
  /** Browsers keep silent until the player has pressed something: call this from a press. */
  readonly wake: () => void;
  readonly play: (cue: Cue, pitch?: number) => void;
  readonly setMuted: (muted: boolean) => void;
}

export function createSound(muted: boolean): Sound {
  let context: AudioContext | null = null;
  let master: GainNode | null = null;
  let isMuted = muted;
  const buffers = new Map<Cue, AudioBuffer>();
  const lastAt = new Map<Cue, number>();

  function wake(): void {
    if (context) return void context.resume();
    try {
      context = new AudioContext();
    } catch {
      return; // A machine without sound plays in silence.
    }
    master = context.createGain();
    master.gain.value = isMuted ? 0 : VOLUME;
    master.connect(context.destination);
    for (const cue of CUES) void fill(context, buffers, cue);
  }

  function play(cue: Cue, pitch = 1): void {
    if (!context || !master || isMuted || context.state !== "running") return;
    const now = context.currentTime;
    if (now - (lastAt.get(cue) ?? -1) < SHORTEST_GAP) return;
    lastAt.set(cue, now);
    const buffer = buffers.get(cue);
    if (buffer) playBuffer(context, master, buffer, pitch);
    else playTone(context, master, TONES[cue], pitch);
  }

  function setMuted(value: boolean): void {
    isMuted = value;
    const volume = value ? 0 : VOLUME;
    if (context && master) master.gain.setTargetAtTime(volume, context.currentTime, 0.02);
  }

  return { wake, play, setMuted };
}

type Buffers = Map<Cue, AudioBuffer>;

async function fill(context: AudioContext, buffers: Buffers, cue: Cue): Promise<void> {
  try {
    const response = await fetch(`assets/${cue}.wav`);
    if (!response.ok) return;
    buffers.set(cue, await context.decodeAudioData(await response.arrayBuffer()));
  } catch {
    // The tone of this cue stays in its place.
  }
}

function playBuffer(
  context: AudioContext,
  out: AudioNode,
  buffer: AudioBuffer,
  pitch: number,
): void {
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.playbackRate.value = pitch;
  source.connect(out);
  source.start();
}

function playTone(
  context: AudioContext,
  out: AudioNode,
  tone: { pitch: number; seconds: number },
  pitch: number,
): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  const end = context.currentTime + tone.seconds;
  oscillator.frequency.value = tone.pitch * pitch;
  gain.gain.setValueAtTime(0.4, context.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.001, end);
  oscillator.connect(gain).connect(out);
  oscillator.start();
  oscillator.stop(end);
}
