// SPDX-License-Identifier: Apache-2.0
// Filters, links into folded parts, copying, printing. Without it the page is whole; only the filters are missing.
(() => {
	"use strict";
	const all = (selector, root = document) => [...root.querySelectorAll(selector)];
	const one = (selector) => document.querySelector(selector);
	const bar = one(".filters");
	const search = one("#search");
	const selects = { host: one("#host"), matrix: one("#matrix"), suite: one("#suite") };
	const chips = all(".chip");
	const reset = one("#reset");
	const unfold = one("#unfold");
	const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

	const text = (element) => element.textContent.replace(/\s+/g, " ").toLowerCase();
	const claims = all(".claim").map((row) => ({
		row,
		matrix: row.closest(".matrix").dataset.matrix,
		head: text(row.querySelector("th")) + " " + text(row.querySelector(".claimed")),
		groups: all(".group", row),
		results: all(".result", row).map((element) => ({
			element, text: text(element) + " " + text(element.closest(".group").querySelector(".reason")),
		})),
	}));
	const tests = all(".test").map((element) => ({
		element,
		results: element.dataset.host.split(" ").length,
		suite: element.closest(".suite").dataset.suite,
		text: text(element),
	}));

	const allResults = tests.reduce((sum, test) => sum + test.results, 0);

	const value = (name) => (selects[name] ? selects[name].value : "");
	const pressed = (kind) =>
		new Set(chips.filter((chip) => chip.dataset.kind === kind && chip.getAttribute("aria-pressed") === "true")
			.map((chip) => chip.dataset.verdict));

	function apply() {
		const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
		const found = (haystack) => words.every((word) => haystack.includes(word));
		const [host, matrix, suite] = [value("host"), value("matrix"), value("suite")];
		const [verdicts, outcomes] = [pressed("claim"), pressed("test")];
		const fits = (element, wanted) =>
			(!host || element.dataset.host.split(" ").includes(host)) && (!wanted.size || wanted.has(element.dataset.verdict));

		let claimsShown = 0;
		for (const claim of claims) {
			let some = false;
			for (const result of claim.results) {
				const show = (!matrix || claim.matrix === matrix) && fits(result.element, verdicts)
					&& found(claim.head + " " + result.text);
				result.element.hidden = !show;
				some = some || show;
			}
			for (const group of claim.groups) group.hidden = !group.querySelector(".result:not([hidden])");
			claim.row.hidden = !some;
			claimsShown += some ? 1 : 0;
		}
		let testsShown = 0;
		for (const test of tests) {
			const show = (!suite || test.suite === suite) && fits(test.element, outcomes) && found(test.text);
			test.element.hidden = !show;
			testsShown += show ? (host ? 1 : test.results) : 0;
		}
		for (const part of all(".matrix")) part.hidden = !part.querySelector(".claim:not([hidden])");
		for (const part of all(".suite")) part.hidden = !part.querySelector(".test:not([hidden])");
		one("#claims").hidden = claims.length > 0 && claimsShown === 0;
		one("#tests").hidden = tests.length > 0 && testsShown === 0;

		const active = words.length > 0 || host || matrix || suite || verdicts.size || outcomes.size;
		bar.classList.toggle("active", Boolean(active));
		reset.hidden = !active;
		one("#shown").textContent = active
			? `Showing ${claimsShown} of ${plural(claims.length, "claim")}, ${testsShown} of ${plural(allResults, "test result")}`
			: `${plural(claims.length, "claim")}, ${plural(allResults, "test result")}`;
	}

	function clear() {
		search.value = "";
		for (const select of Object.values(selects)) if (select) select.value = "";
		for (const chip of chips) chip.setAttribute("aria-pressed", "false");
		apply();
	}

	// A link to something folded or filtered away must still lead there.
	function reveal() {
		const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
		if (!target) return;
		if (target.closest("[hidden]") || (target.nextElementSibling && target.classList.contains("mark"))) clear();
		// a result that is shown with those of other hosts has only a mark before them
		let open = target;
		while (open.classList.contains("mark")) open = open.nextElementSibling;
		for (let part = open; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
		target.scrollIntoView();
	}

	async function copy(button) {
		const code = button.parentElement.querySelector("code");
		let done = true;
		try {
			await navigator.clipboard.writeText(code.textContent);
		} catch {
			const range = document.createRange();
			range.selectNodeContents(code);
			getSelection().removeAllRanges();
			getSelection().addRange(range);
			done = document.execCommand("copy");
		}
		button.textContent = done ? "Copied" : "Press Ctrl+C";
		setTimeout(() => { button.textContent = "Copy"; }, 2000);
	}

	// On paper everything is open; afterwards as it was.
	let folded = [];
	function paper(on) {
		if (on && !folded.length) {
			folded = all("details:not([open])");
			for (const details of folded) details.open = true;
		} else if (!on) {
			for (const details of folded) details.open = false;
			folded = [];
		}
	}

	search.addEventListener("input", apply);
	for (const select of Object.values(selects)) if (select) select.addEventListener("change", apply);
	for (const chip of chips)
		chip.addEventListener("click", () => {
			chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
			apply();
		});
	reset.addEventListener("click", clear);
	unfold.addEventListener("click", () => {
		const open = unfold.textContent === "Open all";
		for (const details of all("details")) details.open = open;
		unfold.textContent = open ? "Close all" : "Open all";
	});
	for (const button of all(".copy")) button.addEventListener("click", () => copy(button));
	addEventListener("hashchange", reveal);
	addEventListener("beforeprint", () => paper(true));
	addEventListener("afterprint", () => paper(false));
	matchMedia("print").addEventListener("change", (event) => paper(event.matches));
	addEventListener("keydown", (event) => {
		if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
			event.preventDefault();
			search.focus();
		}
	});

	bar.hidden = false;
	apply();
	reveal();
})();
