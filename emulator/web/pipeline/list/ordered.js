// Lists of entries, ordered by the time they came in, the oldest first; places are found by binary search.

const isBefore = (one, other) => (one.at === other.at ? one.number < other.number : one.at < other.at);

/** The place of an entry, or the place where it would be put. */
export const placeOf = (list, entry) => {
  let [low, high] = [0, list.length];
  if (!high || isBefore(list[high - 1], entry)) return high; // the usual case: it is the newest
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(list[middle], entry)) low = middle + 1;
    else high = middle;
  }
  return low;
};

const isAt = (list, place, entry) => list[place]?.number === entry.number;

/** Put an entry in, or replace its former version. True if there was no former version. */
export const put = (list, entry) => {
  const place = placeOf(list, entry);
  const isNew = !isAt(list, place, entry);
  list.splice(place, isNew ? 0 : 1, entry);
  return isNew;
};

/** Take an entry out, if it is there. */
export const take = (list, entry) => {
  const place = placeOf(list, entry);
  if (isAt(list, place, entry)) list.splice(place, 1);
};
