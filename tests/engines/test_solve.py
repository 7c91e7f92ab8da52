"""The solver against brute force, and what must hold for every tempo map that it offers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from math import ceil, exp, log
from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from engines.errors import OptionError, SpottingError
from engines.picture.cut import Cut
from engines.spotting.bend import bend
from engines.spotting.candidates import Candidate
from engines.spotting.hits import Hit, hits_from_cuts
from engines.spotting.nominal import nominals, worthwhile
from engines.spotting.plan import Plan, Span
from engines.spotting.price import Prices, price
from engines.spotting.ramp import EASE, LEVELS, TURN, ramp
from engines.spotting.sheet import Sheet, bounded
from engines.spotting.solve import KINDS, solve
from engines.spotting.splice import spliced
from engines.spotting.steady import LAGS, ODD_METRES, Pace, odd_bars, steady
from engines.spotting.stretches import COUNTS, FAR, REACH
from engines.spotting.tempo import Metre, TempoMap

FILM = Fraction(24)
TOLERANCE = 1e-9


@st.composite
def hit_lists(draw: st.DrawFn, most: int, longest: int = 120) -> tuple[Hit, ...]:
    """Up to ``most`` hits, 5 to ``longest`` frames apart, of any weight, some with a window of the composer's own."""
    frame, hits = draw(st.sampled_from([0, 7, 24, 50])), []
    for _ in range(draw(st.integers(1, most))):
        early, late = draw(
            st.sampled_from([(Fraction(1, 50), Fraction(1, 50)), (Fraction(0), Fraction(0)), (Fraction(0), 3 / FILM)])
        )
        hits.append(Hit(frame, frame / FILM, draw(st.sampled_from([0.1, 0.4, 0.7, 1.0])), True, early, late))
        frame += draw(st.integers(5, longest))
    return tuple(hits)


def a_sheet(hits: tuple[Hit, ...], bend_percent: int = 4, **more: object) -> Sheet:
    end = hits[-1].time + Fraction(3, 2)
    return Sheet(bounded(hits, Fraction(0), end), Fraction(0), end, Fraction(bend_percent, 100), **more)  # type: ignore[arg-type]


def total(plan: Plan, sheet: Sheet) -> float:
    return sum(price(plan, sheet).values())


# ---- brute force: every solution written out, each priced as a whole


def chains(sheet: Sheet, tempo: Fraction) -> Iterator[list[tuple[Fraction, int]]]:
    """Every choice of hits to catch, with every number of pulses between them: (seconds since the last, pulses)."""
    times = [sheet.start] + [hit.time for hit in sheet.hits if hit.time > sheet.start]

    def onward(at: int) -> Iterator[list[tuple[int, Fraction, int]]]:
        yield []
        last = len(times) - 1
        for to in range(at + 1, last + 1):
            seconds = times[to] - times[at]
            if (to - at > REACH or (float(seconds) > FAR and to > at + 1)) and not (sheet.closed and (at, to) == (0, last)):
                continue
            ideal = seconds * tempo * sheet.subdivision / 60
            for pulses in range(max(1, round(ideal) - COUNTS), round(ideal) + COUNTS + 1):
                if abs(pulses / ideal - 1) <= sheet.bend:
                    for rest in onward(to):
                        yield [(to, seconds, pulses), *rest]

    for chain in onward(0):
        if not chain or chain[-1][0] >= len(times) - REACH:
            yield [(seconds, pulses) for _, seconds, pulses in chain]


def starts(sheet: Sheet) -> Iterator[Fraction]:
    """No pickup, or any number of whole beats short of a bar."""
    beats = Fraction(0)
    while beats < sheet.metre.length:
        yield beats
        beats += 1 if sheet.metre.unit == 4 else Fraction(sheet.metre.length % 1 or 1)
        if sheet.metre.unit != 4:
            break


def whole(sheet: Sheet, name: str, spb: Fraction, spans: list[Span], pickup: Fraction) -> Plan:
    beats = sum(span.beats for span in spans)
    bars = [Metre(int(pickup), 4)] if pickup else []
    bars += [sheet.metre] * max(1, ceil((beats - pickup) / sheet.metre.length))
    return Plan(name, spb, sheet.start, tuple(spans), sheet.metre, tuple(bars), pickup, sheet.subdivision)


def brute_bend(sheet: Sheet, tempo: Fraction) -> float:
    spb, best = 60 / tempo, float("inf")
    for chain in chains(sheet, tempo):
        spans = [Span(Fraction(n, sheet.subdivision), d * sheet.subdivision / n, d * sheet.subdivision / n) for d, n in chain]
        left = sheet.end - sheet.start - sum(d for d, _ in chain)
        for tail in {spb, spans[-1].last if spans else spb}:
            for pickup in starts(sheet):
                tailed = [*spans, Span(left / tail, tail, tail)]
                best = min(best, total(whole(sheet, "bend", spb, tailed, pickup), sheet))
    return best


def brute_ramp(sheet: Sheet, tempo: Fraction) -> float:
    spb, best = 60 / tempo, float("inf")
    percents = sorted({sign * level for level in LEVELS for sign in (1, -1) if level <= 100 * sheet.bend})
    for chain in chains(sheet, tempo):
        for ends in product(percents, repeat=len(chain) + 1):
            spans: list[Span] = []
            lengths = [spb / (1 + Fraction(end, 100)) for end in ends]
            for k, (seconds, pulses) in enumerate(chain):
                beats = Fraction(pulses, sheet.subdivision)
                held = (seconds / beats - EASE * (lengths[k] + lengths[k + 1]) / 2) / (1 - EASE)
                if abs(ends[k] - ends[k + 1]) > TURN or held <= 0 or abs(spb / held - 1) > sheet.bend:
                    break
                spans += [Span(beats * EASE, lengths[k], held), Span(beats * (1 - 2 * EASE), held, held)]
                spans += [Span(beats * EASE, held, lengths[k + 1])]
            else:
                left = sheet.end - sheet.start - sum(d for d, _ in chain)
                spans.append(Span(left / lengths[-1], lengths[-1], lengths[-1]))
                best = min(best, *(total(whole(sheet, "ramp", spb, spans, pickup), sheet) for pickup in starts(sheet)))
    return best


def brute_bars(sheet: Sheet, pace: Pace) -> float:
    late = pace.spb * pace.lag / LAGS
    span = Span(max((sheet.end - sheet.start - late) / pace.spb, Fraction(1)), pace.spb, pace.spb)
    metres = [sheet.metre, *(m for m in ODD_METRES if m != sheet.metre and (m.unit == 4 or sheet.subdivision == 2))]
    metres = [m for m in metres if sheet.metre.length / 2 <= m.length <= sheet.metre.length * 3 / 2]
    target = ceil(span.beats * sheet.subdivision) / Fraction(sheet.subdivision) + Fraction(1, sheet.subdivision)

    def bars(at: Fraction) -> Iterator[list[Metre]]:
        if at >= target:
            yield []
        else:
            for metre in metres:
                for rest in bars(at + metre.length):
                    yield [metre, *rest]

    best = float("inf")
    for pickup in starts(sheet):
        first = [Metre(int(pickup), 4)] if pickup else []
        for chosen in bars(pickup):
            plan = Plan(
                "odd bar",
                pace.spb,
                sheet.start + late,
                (span,),
                sheet.metre,
                (*first, *chosen, sheet.metre),
                pickup,
                sheet.subdivision,
            )
            best = min(best, total(plan, sheet))
    return best


PRICES = st.sampled_from(
    [Prices(), Prices(near=0.0, edge=0.5), Prices(beat=0.6, off=0.8, step=0.05), Prices(step=0.0, jolt=0.01, drift=0.01)]
)

ENDING = tuple(
    Hit(frame, frame / FILM, weight, True, early, late)
    for frame, weight, early, late in [
        (50, 0.1, Fraction(1, 50), Fraction(1, 50)),
        (81, 0.4, Fraction(0), Fraction(0)),
        (158, 0.7, Fraction(0), Fraction(0)),
        (253, 1.0, Fraction(1, 50), Fraction(1, 50)),
        (285, 0.7, Fraction(0), Fraction(1, 8)),
        (305, 1.0, Fraction(0), Fraction(1, 8)),
    ]
)
"""A dearer way to the last caught hit that ends better, because the cue ends on its tempo."""


@settings(max_examples=15, deadline=None)
@example(hits=ENDING, tempo=129, percent=3, subdivision=2, prices=Prices())
@given(
    hits=hit_lists(8), tempo=st.integers(70, 140), percent=st.integers(0, 6), subdivision=st.sampled_from([1, 2]), prices=PRICES
)
def test_bend_costs_what_brute_force_finds(
    hits: tuple[Hit, ...], tempo: int, percent: int, subdivision: int, prices: Prices
) -> None:
    sheet = a_sheet(hits, percent, subdivision=subdivision, prices=prices)
    assume(sum(1 for _ in chains(sheet, Fraction(tempo))) < 50)
    found = bend(sheet, [Fraction(tempo)])
    assert found.costs[0] == pytest.approx(brute_bend(sheet, Fraction(tempo)), abs=TOLERANCE)
    assert total(found.best, sheet) == pytest.approx(found.costs[0], abs=TOLERANCE)


@settings(max_examples=15, deadline=None)
@given(hits=hit_lists(5, 80), tempo=st.integers(70, 140), percent=st.integers(0, 2), subdivision=st.sampled_from([1, 2]))
def test_ramp_costs_what_brute_force_finds(hits: tuple[Hit, ...], tempo: int, percent: int, subdivision: int) -> None:
    sheet = a_sheet(hits, percent, subdivision=subdivision)
    levels = 2 * percent + 1
    assume(sum(levels ** (len(chain) + 1) for chain in chains(sheet, Fraction(tempo))) < 400)
    found = ramp(sheet, [Fraction(tempo)])
    assert found.costs[0] == pytest.approx(brute_ramp(sheet, Fraction(tempo)), abs=TOLERANCE)
    assert total(found.best, sheet) == pytest.approx(found.costs[0], abs=TOLERANCE)


@settings(max_examples=8, deadline=None)
@given(hits=hit_lists(6, 40), tempo=st.integers(70, 110), lag=st.integers(0, LAGS - 1), subdivision=st.sampled_from([1, 2]))
def test_odd_bars_cost_what_brute_force_finds(hits: tuple[Hit, ...], tempo: int, lag: int, subdivision: int) -> None:
    sheet, pace = a_sheet(hits, subdivision=subdivision), Pace(Fraction(tempo), lag)
    assume(float(sheet.end) * tempo / 60 < 11)
    cost, plan = odd_bars(sheet, [pace])
    assert cost == pytest.approx(brute_bars(sheet, pace), abs=TOLERANCE)
    assert total(plan, sheet) == pytest.approx(cost, abs=TOLERANCE)


@settings(max_examples=5, deadline=None)
@given(hits=hit_lists(4, 60), low=st.integers(1400, 2780))
def test_steady_is_the_cheapest_of_all_paces(hits: tuple[Hit, ...], low: int) -> None:
    sheet = a_sheet(hits)
    plan, _ = steady(sheet, Fraction(low, 20), Fraction(low + 1, 20))
    costs = []
    for tempo, lag, pickup in product((Fraction(low + k, 20) for k in range(2)), range(LAGS), starts(sheet)):
        spb = 60 / tempo
        span = Span((sheet.end - spb * lag / LAGS) / spb, spb, spb)
        other = whole(sheet, "steady", spb, [span], pickup)
        costs.append(total(replace(other, origin=spb * lag / LAGS), sheet))
    assert total(plan, sheet) == pytest.approx(min(costs), abs=TOLERANCE)


@settings(max_examples=15, deadline=None)
@given(hits=hit_lists(5), tempo=st.integers(70, 140), percent=st.integers(2, 6), subdivision=st.sampled_from([1, 2]))
def test_a_closed_bend_costs_what_brute_force_finds(hits: tuple[Hit, ...], tempo: int, percent: int, subdivision: int) -> None:
    end = hits[-1].time + Fraction(7, 3)
    own = bounded(hits, Fraction(0), end, closed=True)
    sheet = Sheet(own, Fraction(0), end, Fraction(percent, 100), subdivision=subdivision, pickup=False, closed=True)
    best, spb = float("inf"), 60 / Fraction(tempo)
    for chain in chains(sheet, Fraction(tempo)):
        spans = [Span(Fraction(n, subdivision), d * subdivision / n, d * subdivision / n) for d, n in chain]
        beats = sum(span.beats for span in spans)
        if sum(d for d, _ in chain) == end:
            rest = Metre(int(beats % 4), 4) if beats.denominator == 1 else Metre(int(beats % 4 * 2), 8)
            bars = [Metre()] * int(beats // 4) + ([rest] if beats % 4 else [])
            plan = Plan("bend", spb, Fraction(0), tuple(spans), Metre(), tuple(bars), Fraction(0), subdivision, closed=True)
            best = min(best, total(plan, sheet))
    assert bend(sheet, [Fraction(tempo)]).costs[0] == pytest.approx(best, abs=TOLERANCE)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=1000, deadline=None)
@given(
    hits=hit_lists(8), tempo=st.integers(70, 140), percent=st.integers(0, 6), subdivision=st.sampled_from([1, 2]), prices=PRICES
)
def test_bend_costs_what_brute_force_finds_a_thousand_times(
    hits: tuple[Hit, ...], tempo: int, percent: int, subdivision: int, prices: Prices
) -> None:
    sheet = a_sheet(hits, percent, subdivision=subdivision, prices=prices)
    assume(sum(1 for _ in chains(sheet, Fraction(tempo))) < 150)
    assert bend(sheet, [Fraction(tempo)]).costs[0] == pytest.approx(brute_bend(sheet, Fraction(tempo)), abs=TOLERANCE)


@pytest.mark.parametrize(("first", "tempo", "subdivision"), [(0, 96, 1), (11, 136, 1), (15, 104, 2)])
def test_eight_real_cuts_cost_what_brute_force_finds(shared: Path, first: int, tempo: int, subdivision: int) -> None:
    cuts = real_cuts(shared / "media" / "tears_of_steel_battle.webm.cuts.csv", FILM)
    cuts = [Cut(cut.frame - cuts[first].frame + 30, cut.time - cuts[first].time + 30 / FILM) for cut in cuts[first : first + 8]]
    sheet = a_sheet(hits_from_cuts(cuts, FILM), 2, subdivision=subdivision)
    tempos = [Fraction(tempo), Fraction(tempo + 1)]
    assert list(bend(sheet, tempos).costs) == pytest.approx([brute_bend(sheet, one) for one in tempos], abs=TOLERANCE)


# ---- what holds for every candidate


def check(candidate: Candidate, hits: tuple[Hit, ...], end: Fraction, percent: Fraction | int, subdivision: int) -> None:
    """Everything that a composer may rely on, measured from the tempo map itself."""
    tempo_map = candidate.tempo_map
    beats = candidate.beats_s
    assert all(a < b for a, b in pairwise(beats))
    assert beats[-1] >= end
    for before, after in pairwise(beats):
        assert abs(60 / (after - before) / candidate.tempo_bpm - 1) <= Fraction(percent) / 100
    assert candidate.max_bend_percent <= float(percent) + 1e-9
    bars = candidate.bars
    assert tempo_map.seconds(bars[-1].end) >= end > tempo_map.seconds(bars[-1].start)
    assert candidate.odd_bars == sum(bar.metre != Metre() for bar in bars)
    assert candidate.hits_total == len(hits)
    allowed = [tempo_map.seconds(Fraction(k, subdivision)) for k in range((len(beats) + 1) * subdivision)]
    for catch in candidate.catches:
        assert tempo_map.seconds(catch.beat) - catch.hit.time == catch.error
        assert abs(catch.error) >= min(abs(time - catch.hit.time) for time in allowed)
        if catch.caught and candidate.name in ("bend", "ramp"):
            assert tempo_map.seconds(catch.beat) == catch.hit.time
            assert tempo_map.beat(catch.hit.time) == catch.beat
        elif catch.caught:
            assert -catch.hit.early - Fraction(1, 10**6) <= catch.error <= catch.hit.late + Fraction(1, 10**6)
        if catch.beat:  # beat 0 may be a pickup
            assert catch.downbeat == (tempo_map.bar_at(catch.beat).start == catch.beat)
    if candidate.name in ("steady", "odd bar"):
        assert len(tempo_map.segments) == 1


@settings(max_examples=10, deadline=None)
@given(hits=hit_lists(8), percent=st.sampled_from([0, Fraction(1, 2), 2, 4, 6]), subdivision=st.sampled_from([1, 2]))
def test_every_candidate_keeps_its_promises(hits: tuple[Hit, ...], percent: Fraction | int, subdivision: int) -> None:
    end = hits[-1].time + Fraction(5, 3)
    answers = solve(hits, end, (95, 105), percent, subdivision=subdivision)
    assert {answer.name for answer in answers} == set(KINDS)
    assert [answer.cost for answer in answers] == sorted(answer.cost for answer in answers)
    for answer in answers:
        check(answer, hits, end, percent, subdivision)
        assert answer.cost == pytest.approx(sum(answer.breakdown.values()), abs=1e-8)
        assert json.loads(json.dumps(answer.json()))["hits_on_beat"] == answer.hits_on_beat
    cost = {answer.name: answer.cost for answer in reversed(answers)}
    assert cost["odd bar"] <= cost["steady"]
    assert [a.json() for a in answers] == [a.json() for a in solve(hits, end, (95, 105), percent, subdivision=subdivision)]


@settings(max_examples=10, deadline=None)
@given(hits=hit_lists(8), subdivision=st.sampled_from([1, 2]))
def test_more_bend_never_costs_more(hits: tuple[Hit, ...], subdivision: int) -> None:
    tempos = [Fraction(k) for k in range(95, 106, 5)]
    for search in (bend, ramp):
        costs = [search(a_sheet(hits, percent, subdivision=subdivision), tempos).costs.min() for percent in (0, 1, 2, 4, 6)]
        assert costs == sorted(costs, reverse=True)


@settings(max_examples=10, deadline=None)
@given(counts=st.lists(st.integers(2, 24), min_size=1, max_size=8), tempo=st.integers(72, 138))
def test_hits_on_a_grid_are_all_caught_without_any_bend(counts: list[int], tempo: int) -> None:
    beats = [sum(counts[: k + 1]) for k in range(len(counts))]
    hits = [Hit(k, Fraction(60 * beat, tempo)) for k, beat in enumerate(beats, 1)]
    for answer in solve(hits, Fraction(60 * (beats[-1] + 4), tempo), (tempo, tempo), 0):
        assert answer.hits_on_beat == len(hits)
        assert answer.max_error_ms == 0
        assert answer.breakdown["hits"] == answer.breakdown["steps"] == answer.breakdown["drift"] == 0


def test_odd_bars_make_downbeats_where_steady_bars_cannot() -> None:
    beats = [4, 10, 17, 25]
    hits = [Hit(k, Fraction(beat * 60, 100)) for k, beat in enumerate(beats)]
    answers = {answer.name: answer for answer in solve(hits, Fraction(18), (100, 100), 0)}
    assert answers["odd bar"].hits_on_downbeat == 4
    assert answers["odd bar"].odd_bars >= 2
    assert answers["steady"].hits_on_downbeat < 4
    assert answers["odd bar"].cost < answers["steady"].cost


def test_a_hit_at_the_start_is_the_first_downbeat() -> None:
    hits = [Hit(0, Fraction(0)), Hit(100, Fraction(100, 24))]
    best = solve(hits, Fraction(8))[0]
    assert best.catches[0].caught
    assert best.catches[0].downbeat
    assert best.tempo_map.seconds(0) == 0


def test_a_cue_may_start_later_in_the_film() -> None:
    hits = [Hit(k, k / FILM) for k in (100, 200, 260, 300)]
    for answer in solve(hits, Fraction(14), start=Fraction(200, 24)):
        assert answer.hits_total == 3
        assert answer.tempo_map.origin >= Fraction(200, 24)
        check(answer, tuple(hits[1:]), Fraction(14), 4, 1)


def test_without_hits_the_tempo_is_the_middle_of_the_range() -> None:
    answers = solve([], Fraction(20), (90, 100))
    assert {answer.name for answer in answers} == set(KINDS)
    assert all(answer.tempo_bpm == 95 and answer.cost == 0 and answer.hits_total == 0 for answer in answers)


@pytest.mark.parametrize("metre", [Metre(3, 4), Metre(6, 8), Metre(7, 8), Metre(5, 4), Metre(2, 2)])
def test_other_metres(metre: Metre) -> None:
    hits = [Hit(k, k / FILM) for k in (61, 130, 199, 290, 333)]
    answers = solve(hits, Fraction(15), metres=[metre])
    assert {answer.name for answer in answers} == set(KINDS)
    for answer in answers:
        assert answer.tempo_map.metres[-1] == metre
        assert answer.cost < len(hits)


def test_of_several_metres_the_cheaper_is_offered() -> None:
    hits = [Hit(k, Fraction(60 * 3 * k, 90)) for k in (1, 2, 3, 4, 5)]
    best = solve(hits, Fraction(12), (90, 90), metres=[Metre(), Metre(3, 4)])[0]
    assert best.tempo_map.metres[0] == Metre(3, 4)
    assert best.hits_on_downbeat == 5


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"tempo": (140, 70)}, OptionError, "write 70-140"),
        ({"tempo": (0, 70)}, OptionError, "10..400"),
        ({"tempo": (70, 4000)}, OptionError, "10..400"),
        ({"max_bend": -1}, OptionError, "--max-bend"),
        ({"max_bend": 90}, OptionError, "--max-bend"),
        ({"subdivision": 3}, OptionError, "--subdivision"),
        ({"metres": []}, OptionError, "--metre"),
        ({"metres": [Metre(5, 16)]}, OptionError, "5/16"),
        ({"duration": Fraction(0)}, SpottingError, "longer film"),
        ({"duration": Fraction(1, 5)}, SpottingError, "longer film"),
        ({"start": Fraction(20)}, SpottingError, "earlier start"),
    ],
)
def test_what_no_music_has_is_refused_in_one_line(changed: dict[str, object], error: type[Exception], says: str) -> None:
    arguments: dict[str, object] = {"hits": [Hit(24, Fraction(1))], "duration": Fraction(10), **changed}
    with pytest.raises(error, match=says.replace("..", r"\.\.")) as caught:
        solve(**arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_the_range_may_be_one_tempo_between_the_steps() -> None:
    assert nominals(Fraction("100.3"), Fraction("100.3")) == [Fraction("100.3")]
    answers = solve([Hit(50, Fraction(50, 24))], Fraction(6), (100.3, 100.3))
    assert all(answer.tempo_bpm == Fraction("100.3") for answer in answers)


def real_cuts(path: Path, rate: Fraction) -> list[Cut]:
    with path.open() as lines:
        return [Cut(int(row["frame"]), int(row["frame"]) / rate) for row in csv.DictReader(lines)]


def test_a_real_film(shared: Path) -> None:
    cuts = real_cuts(shared / "media" / "tears_of_steel_battle.webm.cuts.csv", FILM)
    hits, end = hits_from_cuts(cuts, FILM, Fraction(72)), Fraction(72)
    answers = solve(hits, end, subdivision=2)
    for answer in answers:
        check(answer, hits, end, 4, 2)
    caught = {answer.name: answer.hits_on_beat for answer in answers}
    assert caught["bend"] >= 20
    assert caught["bend"] >= 1.5 * caught["steady"]


def test_weight_decides_between_hits_that_exclude_each_other() -> None:
    near = [(120, 0.2), (124, 1.0)]
    for weights in (near, [(120, 1.0), (124, 0.2)]):
        hits = [Hit(frame, frame / FILM, weight) for frame, weight in weights]
        best = next(answer for answer in solve(hits, Fraction(8), (90, 110)) if answer.name == "bend")
        heavy, light = sorted(best.catches, key=lambda catch: -catch.hit.weight)
        assert heavy.caught
        assert not light.caught


def test_prices_of_the_composer_are_obeyed() -> None:
    hits = [Hit(k, k / FILM) for k in (70, 133, 200, 290)]
    still = replace(Prices(), step=10.0)
    calm = next(answer for answer in solve(hits, Fraction(14), prices=still) if answer.name == "bend")
    assert calm.breakdown["steps"] == 0
    assert len(calm.tempo_map.segments) == 1


@settings(max_examples=10, deadline=None)
@given(frames=st.lists(st.integers(20, 110), min_size=9, max_size=9), moved=st.integers(-30, 30), open_end=st.booleans())
def test_bars_are_solved_again_between_bars_that_stay(frames: list[int], moved: int, open_end: bool) -> None:
    cuts = [sum(frames[: k + 1]) for k in range(len(frames))]
    hits, end = [Hit(cut, cut / FILM) for cut in cuts], (cuts[-1] + 40) / FILM
    old = next(answer for answer in solve(hits, end, (95, 105), 6, subdivision=2) if answer.name == "bend")
    bars = old.tempo_map.bars_until(old.tempo_map.beat(end))
    first, onward = bars[len(bars) // 4], bars[3 * len(bars) // 4]
    start, resumed = old.tempo_map.seconds(first.start), old.tempo_map.seconds(onward.start)
    shift = moved / FILM
    fresh = [Hit(9999, (start + resumed + shift) / 2)]
    assume(resumed + shift - start > 6)
    again = solve(
        fresh, end if open_end else resumed + shift, (90, 110), 8, subdivision=2, start=start, pickup=False, closed=not open_end
    )
    assert {answer.name for answer in again} >= ({*KINDS} if open_end else {"bend", "ramp"})
    for answer in again:
        assert answer.hits_total == 1
        if answer.name not in ("bend", "ramp"):
            continue
        whole_bars = len(answer.tempo_map.metres)
        joined = spliced(old.tempo_map, first.index, answer.tempo_map, whole_bars, None if open_end else onward.index)
        assert [joined.seconds(bar.start) for bar in joined.bars[: first.index]] == [
            old.tempo_map.seconds(bar.start) for bar in bars[: first.index]
        ]
        assert answer.catches[0].caught
        assert joined.seconds(first.start + answer.catches[0].beat) == fresh[0].time
        if not open_end:
            back = joined.bars[first.index + whole_bars]
            assert joined.seconds(back.start) == resumed + shift
            for beat in range(12):
                later = joined.seconds(back.start + beat) - shift
                assert later == old.tempo_map.seconds(onward.start + beat)


def test_a_long_film_is_searched_at_the_tempos_that_matter() -> None:
    """The cheapest of all nominal tempos is among the few that are tried, and regions that promise little are not left out."""
    for seed in range(2):
        rng, frame, frames = Random(seed), 0, list[int]()
        for _ in range(120):
            frame += max(3, round(exp(rng.gauss(log(3.2), 0.6)) * 24))
            frames.append(frame)
        hits = tuple(Hit(k, k / FILM, rng.choice([0.2, 0.6, 1.0])) for k in frames)
        sheet = a_sheet(hits, subdivision=1 + seed % 2)
        tempos = nominals(Fraction(70), Fraction(140))
        tried = worthwhile(sheet, tempos)
        assert len(tried) <= 14200 // 120
        assert bend(sheet, tempos).costs.min() == pytest.approx(bend(sheet, tried).costs.min(), abs=TOLERANCE)
        assert max(b / a for a, b in pairwise((Fraction(70), *tried, Fraction(140)))) < Fraction(113, 100)


STRETCHES = st.fractions(Fraction(3, 10), 180, max_denominator=24)


@settings(max_examples=40, deadline=None)
@example(seconds=Fraction(3, 10), tempo=(100, 100), percent=0, subdivision=1, metre=Metre(), places=[])
@example(seconds=Fraction(180), tempo=(97, 97), percent=0, subdivision=1, metre=Metre(7, 8), places=[k / 64 for k in range(64)])
@given(
    seconds=st.one_of(STRETCHES, st.fractions(Fraction(3, 10), 6, max_denominator=24)),
    tempo=st.sampled_from([(100, 100), (96, 104), (70, 140), (Fraction(119, 2), Fraction(119, 2))]),
    percent=st.sampled_from([0, 1, 4, 8]),
    subdivision=st.sampled_from([1, 2]),
    metre=st.sampled_from([Metre(), Metre(3, 4), Metre(7, 8), Metre(6, 8), Metre(2, 4)]),
    places=st.lists(st.floats(0, 1), max_size=12),
)
def test_any_stretch_between_two_bar_lines_gets_a_map_of_whole_bars(
    seconds: Fraction,
    tempo: tuple[Fraction | int, Fraction | int],
    percent: int,
    subdivision: int,
    metre: Metre,
    places: list[float],
) -> None:
    start = Fraction(1001 * 77, 24000)
    end = start + seconds
    hits = [Hit(k, start + round(part * seconds * 24) / FILM) for k, part in enumerate(sorted(places))]
    counted = [
        seconds * nominal * eighths / 60
        for nominal in nominals(Fraction(tempo[0]), Fraction(tempo[1]))
        for eighths in {subdivision if metre.length.denominator == 1 else 2, 2}
    ]
    fits = [abs(max(1, round(count) + k) / count - 1) for count in counted for k in (-1, 0, 1)]
    allowed = max(Fraction(percent, 100), min(fits))
    answers = solve(hits, end, tempo, percent, (metre,), subdivision, start, pickup=False, closed=True)
    assert "bend" in {answer.name for answer in answers}
    kept = TempoMap.steady(100, bars=40, origin=start - Fraction(60, 100) * 20)
    for answer in answers:
        tempo_map = answer.tempo_map
        bars = tempo_map.bars
        assert tempo_map.origin == start
        assert tempo_map.seconds(bars[-1].end) == end
        assert all(bar.metre == metre for bar in bars[:-1])
        assert bars[-1].metre.length <= metre.length
        assert all(abs(segment.bpm / answer.tempo_bpm - 1) <= allowed for segment in tempo_map.segments)
        joined = spliced(kept, 5, tempo_map, len(bars), 7)
        assert [joined.seconds(joined.bars[k].start) for k in range(6)] == [kept.seconds(bar.start) for bar in kept.bars[:6]]
        back = joined.bars[5 + len(bars)]
        assert [joined.seconds(back.start + k) - end for k in range(9)] == [k * Fraction(60, 100) for k in range(9)]


@settings(max_examples=8, deadline=None)
@given(
    frames=st.lists(st.integers(9, 200), min_size=4, max_size=20),
    ends=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    moved=st.sampled_from([-14, 14, -1, 1]),
    rate=st.sampled_from([FILM, Fraction(24000, 1001), Fraction(25)]),
    subdivision=st.sampled_from([1, 2]),
)
def test_a_recut_by_fourteen_frames_is_solved_between_the_bars_that_stay(
    frames: list[int], ends: tuple[float, float], moved: int, rate: Fraction, subdivision: int
) -> None:
    cuts = [sum(frames[: k + 1]) for k in range(len(frames))]
    hits, end = [Hit(cut, cut / rate) for cut in cuts], (cuts[-1] + 40) / rate
    old = solve(hits, end, subdivision=subdivision)[0]
    bars = old.bars
    first, onward = sorted(round(part * (len(bars) - 1)) for part in ends)
    onward = max(onward, first + 1)
    start, resumed = (old.tempo_map.seconds(old.tempo_map.bars_until(Fraction(9999))[k].start) for k in (first, onward))
    shift = moved / rate
    assume(resumed + shift - start >= Fraction(3, 10))
    inside = [Hit(cut + moved, hit.time + shift) for cut, hit in zip(cuts, hits, strict=True) if start < hit.time + shift]
    nominal = old.tempo_bpm
    again = solve(inside, resumed + shift, (nominal, nominal), subdivision=subdivision, start=start, pickup=False, closed=True)
    for answer in again:
        joined = spliced(old.tempo_map, first, answer.tempo_map, len(answer.tempo_map.metres), onward)
        assert joined.seconds(joined.bars[first].start) == start
        assert joined.seconds(joined.bars[first + len(answer.tempo_map.metres)].start) == resumed + shift


def test_a_closed_cue_shorter_than_any_eighth_is_refused() -> None:
    with pytest.raises(SpottingError, match="does not last an eighth"):
        solve([], Fraction(1, 24), (100, 100), 1, pickup=False, closed=True)


def test_bars_that_do_not_meet_are_not_spliced() -> None:
    kept = TempoMap.steady(100, bars=8)
    with pytest.raises(ValueError, match="begin at"):
        spliced(kept, 2, TempoMap.steady(100, origin=Fraction(1)), 4)
