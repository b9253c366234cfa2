import {
  type ComputedRef,
  computed,
  getCurrentInstance,
  getCurrentScope,
  hasInjectionContext,
  type InjectionKey,
  inject,
  type MaybeRefOrGetter,
  onMounted,
  provide,
  shallowRef,
  toValue,
  triggerRef,
  type WatchSource,
  watch,
} from "vue";
import type { AnyChannels, EventsOf, Key, StateOf } from "./connect.js";
import { hasPage } from "./environment.js";
import type { Json, JsonObject } from "./json.js";
import type { Unsubscribe } from "./listeners.js";
import type { Present } from "./members.js";
import type { Options } from "./options.js";
import { type ChannelSync, type Listener, placeOf, type Sync } from "./place.js";
import {
  acquire,
  type Pane,
  presencePane,
  type Source,
  valuePane,
  viewPane,
  watchEvents,
} from "./shared_clients.js";

export type { ChannelSync, Listener, Sync } from "./place.js";

/** Each member as a ref of its own, so that they can be taken apart; read only. */
export type Refs<View> = { readonly [Name in keyof View]: ComputedRef<View[Name]> };

/** Where data comes from: the connection that is provided, or that to `url`; its default channel, or `channel`. */
export interface Place<Name extends string | undefined = string | undefined> {
  readonly url?: MaybeRefOrGetter<string | undefined>;
  readonly channel: MaybeRefOrGetter<Name>;
}

/** Any channel; a text is the url of the default one. */
export type AnyPlace = MaybeRefOrGetter<string | Partial<Place>>;

/** The default channel; a text is its url. */
export type DefaultPlace = MaybeRefOrGetter<
  string | { readonly url?: MaybeRefOrGetter<string | undefined>; readonly channel?: undefined }
>;

/** The composables with an application's types; nothing checks them at run time. */
export interface SyncComposables<
  State extends object,
  Events extends object,
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
> {
  readonly provideSync: typeof provideSync;
  readonly useSync: UseSync<State, Events, Channels, Info>;
  readonly useSyncEvent: UseSyncEvent<Events, Channels>;
  readonly useSyncMembers: UseSyncMembers<Channels, Info>;
  readonly useSyncState: UseSyncState<State, Channels>;
}

export interface UseSync<
  State extends object,
  Events extends object,
  Channels extends object,
  Info extends object,
> {
  (place?: DefaultPlace, options?: Options): Refs<Sync<State, Events, Channels, Info>>;
  <Name extends Key<Channels>>(
    place: MaybeRefOrGetter<Place<Name>>,
    options?: Options,
  ): Refs<ChannelSync<StateOf<Channels, Name>, EventsOf<Channels, Name>, Info>>;
}

export interface UseSyncMembers<Channels extends object, Info extends object> {
  (place?: DefaultPlace): ComputedRef<readonly Present<Info>[]>;
  (place: MaybeRefOrGetter<Place<Key<Channels>>>): ComputedRef<readonly Present<Info>[]>;
}

export interface UseSyncState<State extends object, Channels extends object> {
  <K extends Key<State>>(
    key: MaybeRefOrGetter<K>,
    place?: DefaultPlace,
  ): ComputedRef<State[K] | undefined>;
  <Name extends Key<Channels>, K extends Key<StateOf<Channels, Name>>>(
    key: MaybeRefOrGetter<K>,
    place: MaybeRefOrGetter<Place<Name>>,
  ): ComputedRef<StateOf<Channels, Name>[K] | undefined>;
}

export interface UseSyncEvent<Events extends object, Channels extends object> {
  <K extends Key<Events>>(
    type: MaybeRefOrGetter<K>,
    listener: Listener<Events[K]>,
    place?: DefaultPlace,
  ): void;
  <Name extends Key<Channels>, K extends Key<EventsOf<Channels, Name>>>(
    type: MaybeRefOrGetter<K>,
    listener: Listener<EventsOf<Channels, Name>[K]>,
    place: MaybeRefOrGetter<Place<Name>>,
  ): void;
}

type SourceRef = ComputedRef<Source>;

const SOURCE: InjectionKey<SourceRef> = Symbol("syncrelay");

/** What components provide, for themselves, too: `inject` begins above. */
const provided = new WeakMap<object, SourceRef>();

/**
 * Keeps a connection for this component and those below, whether they use it or not. Of the connection's options `token`
 * is one; they are read when it is opened. Call it in `setup`, before the others.
 */
export function provideSync(url: MaybeRefOrGetter<string>, options: Options = {}): void {
  const instance = getCurrentInstance();
  if (!instance) throw new Error("provideSync belongs into a component's setup");
  const source = computed(() => ({ url: toValue(url), options }));
  provided.set(instance, source);
  provide(SOURCE, source);
  whileInUse([source], () => acquire(source.value)[1]);
}

/**
 * The status and the whole state. Connects to the url, and follows the channel, from when the component is mounted until
 * it is gone; without a url it uses the connection that is provided. `options` count where this is the first user of the url.
 */
export function useSync<State extends object = Record<string, Json>>(
  place?: DefaultPlace,
  options?: Options,
): Refs<Sync<State>>;
export function useSync<State extends object = Record<string, Json>>(
  place: MaybeRefOrGetter<Place<string>>,
  options?: Options,
): Refs<ChannelSync<State>>;
export function useSync(place?: AnyPlace, options?: Options): unknown {
  const { source, channel } = useWhere(place, options);
  const view = useShown(() => viewPane(source.value, channel.value));
  return {
    status: computed(() => view.value.status),
    state: computed(() => view.value.state),
    error: computed(() => view.value.error),
    client: computed(() => view.value.client),
    channel: computed(() => view.value.channel),
  };
}

/** One key's value; changes only with that. Undefined while there is none. */
export function useSyncState<Value = Json>(
  key: MaybeRefOrGetter<string>,
  place?: AnyPlace,
): ComputedRef<Value | undefined> {
  const { source, channel } = useWhere(place);
  const name = computed(() => toValue(key));
  const value = useShown(() => valuePane(source.value, channel.value, name.value));
  return value as unknown as ComputedRef<Value | undefined>;
}

/**
 * Who is in a channel, in the order of arrival. The list is the same one until it changes, and each entry until something
 * in it does. Empty where the relay keeps no members.
 */
export function useSyncMembers<Info extends object = JsonObject>(
  place?: AnyPlace,
): ComputedRef<readonly Present<Info>[]> {
  const { source, channel } = useWhere(place);
  const present = useShown(() => presencePane(source.value, channel.value));
  return present as unknown as ComputedRef<readonly Present<Info>[]>;
}

/** Calls the listener for every event of a type, while the component is mounted. */
export function useSyncEvent<Data = Json>(
  type: MaybeRefOrGetter<string>,
  listener: Listener<Data>,
  place?: AnyPlace,
): void {
  const { source, channel } = useWhere(place);
  const name = computed(() => toValue(type));
  whileInUse([source, channel, name], () =>
    watchEvents(source.value, channel.value, name.value, listener as Listener<never>),
  );
}

/**
 * The composables of this module for the keys in `State` and the events in `Events`, for those of the channels in
 * `Channels`, and what identities tell of themselves in `Info`; call it once, in a module of the application. All that
 * it returns share their connections with all others.
 */
export function createSync<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
>(): SyncComposables<State, Events, Channels, Info> {
  return COMPOSABLES as unknown as SyncComposables<State, Events, Channels, Info>;
}

const COMPOSABLES = Object.freeze({
  provideSync,
  useSync,
  useSyncEvent,
  useSyncMembers,
  useSyncState,
});

function useWhere(place: AnyPlace = {}, options: Options | null = null) {
  const instance = getCurrentInstance();
  const above = hasInjectionContext() ? inject(SOURCE, null) : null;
  const shared = (instance && provided.get(instance)) ?? above;
  const named = computed(() => placeOf(toValue(place) as ReturnType<typeof placeOf>));
  const url = computed(() => toValue(named.value.url as MaybeRefOrGetter<string | undefined>));
  const source = computed(() => {
    if (url.value !== undefined) return { url: url.value, options };
    if (shared) return shared.value;
    throw new Error("no relay to connect to: pass a url, or call provideSync(url) above");
  });
  const channel = computed(() =>
    toValue(named.value.channel as MaybeRefOrGetter<string | undefined>),
  );
  void source.value; // throws here, where the mistake is
  return { source, channel };
}

/** What a pane shows; `nothing` as long as a page of a server is taken over. */
function useShown<Value>(paneOfNow: () => Pane<Value>): ComputedRef<Value> {
  const pane = computed(paneOfNow);
  const isShown = shallowRef(!isHydrating());
  const refresh = () => {
    isShown.value = true;
    triggerRef(isShown);
  };
  whileInUse([pane], () => {
    const end = pane.value.watch(refresh);
    refresh();
    return end;
  });
  return computed(() => (isShown.value ? pane.value.read() : pane.value.nothing));
}

/** Whether this component takes over what a server has rendered, which must look the same at first. */
function isHydrating(): boolean {
  return Boolean(getCurrentInstance()?.vnode.el);
}

/**
 * Begins when the component is mounted, which it never is on a server, and outside of components at once, where there is a
 * page; anew when one of `sources` changes; ends with the scope.
 */
function whileInUse(sources: readonly WatchSource[], begin: () => Unsubscribe): void {
  const instance = getCurrentInstance();
  const scope = getCurrentScope();
  if (!scope) throw new Error("call this in a component's setup, or in an effect scope");
  const start = () => {
    if (!scope.active) return;
    scope.run(() =>
      watch([...sources], (_now, _before, onCleanup) => onCleanup(begin()), { immediate: true }),
    );
  };
  if (instance && !instance.isMounted) onMounted(start);
  else if (instance || hasPage()) start();
}
