/** Ends a subscription. Calling it again does nothing. */
export type Unsubscribe = () => void;

/**
 * The listeners for one kind of news by topic. One that throws disturbs neither the others nor the
 * caller: what it threw is reported. One that was removed is never called again, not even in the round
 * that it was removed in.
 */
export class Listeners<Args extends readonly unknown[]> {
  private readonly topics = new Map<string, Set<Subscription<Args>>>();

  constructor(private readonly report: (error: unknown) => void) {}

  add(topic: string, listener: (...args: Args) => void): Unsubscribe {
    const subscriptions = this.topics.get(topic) ?? new Set();
    const subscription = { listener };
    this.topics.set(topic, subscriptions.add(subscription));
    return () => {
      subscriptions.delete(subscription);
      if (subscriptions.size === 0 && this.topics.get(topic) === subscriptions) {
        this.topics.delete(topic);
      }
    };
  }

  tell(topic: string, ...args: Args): void {
    const subscriptions = this.topics.get(topic);
    if (!subscriptions) return;
    for (const subscription of [...subscriptions]) {
      if (subscriptions.has(subscription)) this.call(subscription, args);
    }
  }

  removeAll(): void {
    for (const subscriptions of this.topics.values()) subscriptions.clear();
    this.topics.clear();
  }

  private call({ listener }: Subscription<Args>, args: Args): void {
    try {
      listener(...args);
    } catch (error) {
      this.report(error);
    }
  }
}

/** An object of its own for each call of `add`, since one function may be added twice. */
interface Subscription<Args extends readonly unknown[]> {
  readonly listener: (...args: Args) => void;
}
