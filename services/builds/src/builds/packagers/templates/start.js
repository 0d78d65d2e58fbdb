// Lets a worker keep the game for when there is no network, where everybody may keep it: a host that
// gives a file to some alone, or says that it must not be stored, is left in peace.
(async () => {
  if (!("serviceWorker" in navigator) || !/^https?:$/.test(location.protocol)) return;
  if (!navigator.onLine) return;
  const worker = new URL("sw.js", document.baseURI);
  const answer = await fetch(worker, { method: "HEAD", cache: "no-store" });
  const caching = answer.headers.get("cache-control") ?? "";
  if (!answer.ok || /\b(private|no-store)\b/i.test(caching)) return;
  await navigator.serviceWorker.register(worker, { scope: "./" });
})().catch(() => undefined);
