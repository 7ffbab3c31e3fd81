// How moments are told: relative while they are young, by the clock later, under headings for days.

const minuteMs = 60_000;
const hourMs = 3_600_000;

export class Times {
  #words;
  #relative;
  #clock;
  #day;
  #dayWithYear;
  #soon;
  #full;

  constructor(language, words) {
    this.#words = words;
    this.#relative = new Intl.RelativeTimeFormat(language, { numeric: "always", style: "narrow" });
    this.#clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
    this.#day = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
    this.#dayWithYear = new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric" });
    this.#soon = new Intl.DateTimeFormat(language, { weekday: "short", hour: "numeric", minute: "2-digit" });
    this.#full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
  }

  /** Beside a notification: "now", "5 min. ago", or the time of its day. */
  short(moment, now = Date.now()) {
    const ageMs = now - moment;
    if (ageMs < minuteMs) return this.#words.now;
    if (ageMs < hourMs) return this.#relative.format(-Math.floor(ageMs / minuteMs), "minute");
    if (ageMs < 12 * hourMs && dayOf(moment) === dayOf(now)) return this.#relative.format(-Math.floor(ageMs / hourMs), "hour");
    return this.#clock.format(moment);
  }

  full(moment) {
    return this.#full.format(moment);
  }

  /** For a moment to come: the time, with the day where it is another one. */
  ahead(moment, now = Date.now()) {
    return (dayOf(moment) === dayOf(now) ? this.#clock : this.#soon).format(moment);
  }

  /** The heading of a moment's day. */
  day(moment, now = Date.now()) {
    const day = dayOf(moment);
    if (day === dayOf(now)) return this.#words.today;
    if (day === dayBefore(now)) return this.#words.yesterday;
    const isThisYear = new Date(moment).getFullYear() === new Date(now).getFullYear();
    return (isThisYear ? this.#day : this.#dayWithYear).format(moment);
  }
}

/** The reader's day of a moment, as a number that tells days apart. */
export function dayOf(moment) {
  return new Date(moment).setHours(0, 0, 0, 0);
}

function dayBefore(moment) {
  const day = new Date(moment);
  day.setHours(0, 0, 0, 0);
  return day.setDate(day.getDate() - 1);
}

/** When something may come back, each with a word for it. What has passed today is left out. */
export function snoozeChoices(words, now = Date.now()) {
  const at = (days, hour) => {
    const day = new Date(now);
    day.setDate(day.getDate() + days);
    return day.setHours(hour, 0, 0, 0);
  };
  const untilMonday = (8 - new Date(now).getDay()) % 7 || 7;
  const evening = at(0, 18);
  return [
    { label: words.laterToday, until: now + 3 * hourMs },
    ...(evening - now > hourMs ? [{ label: words.thisEvening, until: evening }] : []),
    { label: words.tomorrow, until: at(1, 8) },
    ...(untilMonday > 1 ? [{ label: words.nextWeek, until: at(untilMonday, 8) }] : []),
  ];
}
