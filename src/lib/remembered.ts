/** An answer that is kept until somebody says it changed. */
export interface Remembered<T> {
  get(): Promise<T>;
  forget(): void;
}

/** @param ask asked anew after a failure, too. */
export function remembered<T>(ask: () => Promise<T>): Remembered<T> {
  let answer: Promise<T> | null = null;
  return {
    get() {
      if (answer) return answer;
      const asking = ask();
      answer = asking;
      asking.catch(() => {
        if (answer === asking) answer = null;
      });
      return asking;
    },
    forget() {
      answer = null;
    },
  };
}
