'use strict';
// Follows a running sweep: asks for the page again and puts the new one in the place of the old,
// with what the reader chose, opened, sorted and scrolled to.
(() => {
  const kSeconds = 2;
  const firstHeader = document.querySelector('header').innerHTML;
  let version = null;  // of the page that is shown
  let picked = null;   // trials whose curves the reader chose; until then the best ones are shown

  const note = document.createElement('p');
  note.id = 'live';
  note.setAttribute('role', 'status');
  document.body.prepend(note);
  const say = (text, state) => {
    if (note.textContent !== text) note.textContent = text;
    note.className = state;
  };

  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const boxes = () => all('#curve-picks input');

  // Each function takes what it remembers from the old page, and returns how to put it into the new.
  function rememberSwitches() {
    const states = all('.switches input').map((box) => [box.id, box.checked, box.value]);
    return () => states.forEach(([id, checked, value]) => {
      const box = document.getElementById(id);
      if (box) Object.assign(box, {checked, value});
    });
  }

  function rememberPicks() {
    return () => {
      if (picked) boxes().forEach((box) => { box.checked = picked.has(box.dataset.trial); });
    };
  }

  function rememberDetails() {
    const open = new Set(all('details[open] > summary').map((summary) => summary.textContent));
    return () => all('details > summary').forEach((summary) => {
      summary.parentElement.open = open.has(summary.textContent);
    });
  }

  function rememberScrolling() {
    const places = all('.scroll, .picks').map((box, i) => [i, box.scrollLeft, box.scrollTop]);
    return () => {
      const now = all('.scroll, .picks');
      places.forEach(([i, left, top]) => { if (now[i]) now[i].scrollTo(left, top); });
    };
  }

  function rememberSorting() {
    const sorted = all('table.sortable th[aria-sort]').map((head) => [
      head.closest('table').id, head.cellIndex, head.getAttribute('aria-sort')]);
    return () => sorted.forEach(([id, column, direction]) => {
      const table = document.getElementById(id);
      const head = table && table.tHead.rows[0].cells[column];
      for (let i = 0; head && i < 2 && head.getAttribute('aria-sort') !== direction; ++i) {
        head.querySelector('button').click();
      }
    });
  }

  function rememberFocus() {
    const label = document.activeElement && document.activeElement.id;
    return () => { if (label && document.getElementById(label)) document.getElementById(label).focus(); };
  }

  function replace(page) {
    const before = [rememberPicks(), rememberSwitches(), rememberDetails()];
    const after = [rememberSorting(), rememberScrolling(), rememberFocus()];
    for (const selector of ['header', 'main', 'footer', '#report-data']) {
      document.querySelector(selector).replaceWith(document.adoptNode(page.querySelector(selector)));
    }
    before.forEach((restore) => restore());
    document.dispatchEvent(new Event('ranksweep-replaced'));
    after.forEach((restore) => restore());
  }

  // Whether the database changed between the page's own loading and the first look.
  const differs = (page) => page.querySelector('header').innerHTML !== firstHeader ||
    page.getElementById('report-data').textContent !==
      document.getElementById('report-data').textContent;

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.pathname, {cache: 'no-cache'});
      if (!answer.ok) throw new Error(await answer.text());
      const next = answer.headers.get('ETag');
      const html = await answer.text();
      const page = new DOMParser().parseFromString(html, 'text/html');
      if (version === null ? differs(page) : next !== version) replace(page);
      version = next;
      say('Live', 'on');
    } catch (error) {
      say('Not live: the server does not answer, or cannot read the database', 'off');
    }
  }

  document.addEventListener('change', (event) => {
    if (event.target.closest('#curve-picks')) {
      picked = new Set(boxes().filter((box) => box.checked).map((box) => box.dataset.trial));
    }
  });
  document.addEventListener('visibilitychange', look);
  setInterval(look, kSeconds * 1000);
  look();
})();
