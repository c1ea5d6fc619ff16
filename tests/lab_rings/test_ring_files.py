"""Every ring scenario can be read, has numbers of its own, and gives Asterisk files that hold all of them."""

from callflow.lab.rings.asterisk_files import additions
from callflow.lab.rings.numbering import Numbered
from callflow.lab.rings.run import SCENARIOS
from callflow.lab.rings.scenario import read_ring_scenarios

PORT = 5070
BY_NOBODY = {"join", "originate", "redirect", "withdraw"}


def test_scenarios_have_numbers_of_their_own_and_a_place_in_the_files() -> None:
    scenarios = [Numbered(scenario, index) for index, scenario in enumerate(read_ring_scenarios(SCENARIOS))]
    numbers = [number for one in scenarios for number in (*one.numbers.values(), one.caller, one.entry)]
    assert len(numbers) == len(set(numbers))
    files = additions(PORT, scenarios)
    assert all(
        f"[{number}]\ntype = endpoint" in files["pjsip.conf"] for one in scenarios for number in one.numbers.values()
    )
    for one in scenarios:
        assert (f"[{one.queue}]" in files["queues.conf"]) is (one.scenario.queue is not None)
        assert (f"[{one.second_queue}]" in files["queues.conf"]) is bool(one.scenario.second_members)
        assert (f"exten => {one.entry},1," in files["extensions.conf"]) is one.scenario.calls
    assert "{" not in files["queues.conf"]


def test_acts_name_phones_that_are_there() -> None:
    for scenario in read_ring_scenarios(SCENARIOS):
        one = Numbered(scenario, 0)
        for act in scenario.acts:
            assert act.do in BY_NOBODY or act.phone in (*scenario.phones, "caller"), scenario.name
            assert "{" not in one.dialled(act.to) + one.fill(act.exten) + one.fill(act.keys), scenario.name
        assert scenario.sound or not scenario.expect.hears, f"{scenario.name} hears without sound"
