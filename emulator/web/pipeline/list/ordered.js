// Lists of entries in the order in which they came in: the oldest first, found by halving.

const isBefore = (one, other) => (one.at === other.at ? one.number < other.number : one.at < other.at);

/** Where an entry is, or would be. */
export const placeOf = (list, entry) => {
  let [low, high] = [0, list.length];
  if (!high || isBefore(list[high - 1], entry)) return high; // new ones mostly are the newest
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(list[middle], entry)) low = middle + 1;
    else high = middle;
  }
  return low;
};

const isAt = (list, place, entry) => list[place]?.number === entry.number;

/** Put an entry in, in the place of its former version if there is one. True if there was none. */
export const put = (list, entry) => {
  const place = placeOf(list, entry);
  const isNew = !isAt(list, place, entry);
  list.splice(place, isNew ? 0 : 1, entry);
  return isNew;
};

/** Take an entry out, if it is in. */
export const take = (list, entry) => {
  const place = placeOf(list, entry);
  if (isAt(list, place, entry)) list.splice(place, 1);
};
