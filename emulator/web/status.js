// The status page: asks /api/health every two seconds, and shows what it says as text.

const cell = (text, className = "") => {
  const element = document.createElement("td");
  element.textContent = text;
  element.className = className;
  return element;
};

const row = ([name, part]) => {
  const element = document.createElement("tr");
  const detail = part.detail ?? (part.pending ? `${part.pending} objects wait` : "");
  element.append(cell(name), cell(part.state, part.state), cell(part.where), cell(detail));
  return element;
};

const show = (health) => {
  const overall = document.getElementById("overall");
  overall.textContent = health.healthy ? "is up" : "has a problem";
  overall.className = health.healthy ? "ok" : "down";
  document.getElementById("parts").replaceChildren(...Object.entries(health.parts).map(row));
  document.getElementById("example").textContent =
    `curl -H 'Content-Type: application/json' -d '{"eventName": "page_view"}' ${health.parts.ingest.where}`;
};

const refresh = async () => {
  try {
    show(await (await fetch("/api/health")).json());
  } catch {
    const overall = document.getElementById("overall");
    overall.textContent = "does not answer";
    overall.className = "down";
  }
  setTimeout(refresh, 2000);
};

refresh();
