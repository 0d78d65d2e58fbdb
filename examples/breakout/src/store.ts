/** What outlives the page: the best score and whether the sound is off. */

const KEY = "brickglow";

export interface Kept {
  readonly best: number;
  readonly muted: boolean;
}

export function recall(): Kept {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Kept>;
    return { best: Number(kept.best) || 0, muted: kept.muted === true };
  } catch {
    return { best: 0, muted: false }; // A page without storage plays as if for the first time.
  }
}

export function keep(kept: Kept): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Without storage there is nothing to keep it in.
  }
}
