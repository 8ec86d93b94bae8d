// Gets JSON, or fails with a message that a person can read.

export const getJson = async (url) => {
  const answer = await fetch(url);
  const content = await answer.json().catch(() => null);
  if (!answer.ok || !content) throw new Error(content?.message ?? `${url} answered ${answer.status}`);
  return content;
};
