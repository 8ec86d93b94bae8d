// Whether React still works on the page of the current address.
//
// React tells nobody, so this looks at what it keeps: the numbers below are the same from React 18 on. If they change,
// a page counts as complete as soon as its address is shown.
const SUSPENSE = 13;
const ACTIVITY = 31;
const OFFSCREEN = 22;
const UPDATES_AND_TRANSITIONS = 0x3fffff; // not a boundary's further tries, nor what is rendered out of sight

/**
 * @typedef {{ tag: number, memoizedState: unknown, child: Fiber | null, sibling: Fiber | null }} Fiber
 * @typedef {{ pendingLanes: number, current: Fiber }} Root
 */

/** The root that React keeps on what it renders into. @param {any} container @returns {Root | undefined} */
const rootIn = (container) =>
  container[Object.keys(container).find((name) => name.startsWith("__reactContainer$")) ?? ""]?.stateNode;

/**
 * Whether there is a boundary that shows its fallback, or whose HTML is not hydrated yet; hidden pages do not count.
 * @param {Fiber | null} fiber
 * @returns {boolean}
 */
const isIncomplete = (fiber) => {
  for (; fiber; fiber = fiber.sibling) {
    const { tag, memoizedState, child } = fiber;
    if (memoizedState && (tag === SUSPENSE || tag === ACTIVITY)) return true;
    const isHidden = memoizedState && tag === OFFSCREEN;
    if (!isHidden && isIncomplete(child)) return true;
  }
  return false;
};

/** Next's Pages Router renders the page of back and forward when its data has come: the address is there before. */
const isRouterBehind = () => {
  const address = /** @type {any} */ (globalThis).next?.router?.asPath; // the App Router has none
  return address && !location.href.endsWith(new URL(address, location.href).href.slice(location.origin.length));
};

/** Whether more of the page is to come. */
export const isRendering = () =>
  isRouterBehind() ||
  [document, document.body, ...document.body.children]
    .map(rootIn)
    .some((root) => root && (root.pendingLanes & UPDATES_AND_TRANSITIONS || isIncomplete(root.current)));
