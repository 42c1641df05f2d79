/** Real time plus what a test has added: the domain asks this clock, the database and the engine ask their own. */
export class TestClock {
  #ahead = 0;

  readonly now = (): Date => new Date(Date.now() + this.#ahead);

  advance(milliseconds: number): void {
    this.#ahead += milliseconds;
  }
}
