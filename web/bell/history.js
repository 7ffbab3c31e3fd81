// Older notifications, fetched page by page for each view of the panel.

const pageSize = 100;

const queries = {
  all: [{}],
  unread: [{ unreadOnly: true }],
  // What is put away for good, and what for a time.
  archived: [
    { archived: true, snoozed: "any" },
    { snoozed: true },
  ],
};

export class History {
  #bell;
  #changed;
  #views = new Map();

  /** @param {() => void} changed something came, or did not */
  constructor(bell, changed) {
    this.#bell = bell;
    this.#changed = changed;
  }

  /** `more`, `loading`, `failed` or `end`. */
  state(name) {
    return this.#view(name).state;
  }

  /** Whether nothing of a view was fetched yet that has to be fetched to show it. */
  isLoading(name) {
    return this.state(name) === "loading";
  }

  /** Fetches the next page. One that failed is only fetched again when the reader asks for it. */
  async load(name, { isAsked = true } = {}) {
    const view = this.#view(name);
    const { session } = this.#bell;
    if (!session || view.state === "loading" || view.state === "end" || (view.state === "failed" && !isAsked)) return;
    view.state = "loading";
    try {
      const pages = await Promise.all(view.queries.map((query) => session.history({ limit: pageSize, ...query })));
      view.queries = view.queries
        .map((query, index) => ({ ...query, cursor: pages[index].nextCursor }))
        .filter((query, index) => pages[index].hasMore && query.cursor);
      view.state = view.queries.length ? "more" : "end";
    } catch (problem) {
      // A hub that has no list has given all it has.
      view.state = problem.status === 404 ? "end" : "failed";
    }
    this.#changed();
  }

  #view(name) {
    const { session } = this.#bell;
    let view = this.#views.get(name);
    // Another user's pages are not ours.
    if (view?.session !== session) {
      view = { session, state: "more", queries: queries[name] };
      this.#views.set(name, view);
    }
    return view;
  }
}
