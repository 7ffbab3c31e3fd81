// What the page asks again and again, and when: never in a hidden tab, never while the last question is open.

const all = new Set();

/**
 * Runs `work` now and `seconds` after each run has ended, while the page is visible.
 * @param {() => Promise<void>} work answers for its own errors
 * @returns a function that runs it at once, or once more if it is running
 */
export function every(seconds, work) {
  let timer;
  let running = false;
  let again = false;
  async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    clearTimeout(timer);
    try {
      do {
        again = false;
        await work();
      } while (again);
    } finally {
      running = false;
      if (!document.hidden) timer = setTimeout(run, seconds * 1000);
    }
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : run()));
  all.add(run);
  if (!document.hidden) run();
  return run;
}

/** Runs everything that `every` runs, at once: the server is there again. */
export const refreshAll = () => all.forEach((run) => run());
