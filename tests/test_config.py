"""A wrong file is refused with file, key and remedy; a short file is enough."""

from pathlib import Path

import pytest

from cabinet.config import ConfigError, load

GOOD = """
zones = [{ id = "s1", channel = 0 }, { id = "s2", channel = 1 }]
cameras = [
  { id = "front", role = "front", source = 0 },
  { id = "top", role = "interior", source = "http://127.0.0.1:1/t", polygons = { s1 = [[0, 0], [9, 0], [9, 9]] } },
]

[cabinet]
id = "shop-1"
currency = "EUR"
data_dir = "data"

[board]
port = "/dev/ttyACM0"

[session]
unlock_timeout_s = 9
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "cabinet.toml"
    path.write_text(text)
    return path


def test_a_short_file_is_enough(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))
    assert config.session.unlock_timeout_s == 9.0
    assert config.session.prompt_after_s == 30.0


def test_a_limit_of_nothing_is_a_limit(tmp_path: Path) -> None:
    never = GOOD.replace("[session]", "[credit]\noffline_member_visits = 0\noffline_cabinet_minor = 0\n[session]")
    credit = load(written(tmp_path, never)).credit
    assert (credit.offline_member_visits, credit.offline_cabinet_minor, credit.hold_minor) == (0, 0, 2_000)


def test_relative_paths_belong_to_the_files_folder(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD)).cabinet.data_dir == tmp_path / "data"


def test_the_socket_lies_in_the_data_folder_unless_named(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD)).cabinet.socket_path == tmp_path / "data" / "control.sock"


def test_the_boards_key_lies_in_the_data_folder_unless_named_and_need_not_be_there(tmp_path: Path) -> None:
    assert load(written(tmp_path, GOOD)).board_key_file == tmp_path / "data" / "board.key"
    named = GOOD.replace("[session]", 'key_file = "secret/b.key"\n[session]')
    assert load(written(tmp_path, named)).board_key_file == tmp_path / "secret" / "b.key"


@pytest.mark.parametrize(
    ("find", "replace", "complaint"),
    [
        ("unlock_timeout_s", "unlock_timeout_ms", r"session\.unlock_timeout_ms: unknown key; .*unlock_timeout_s"),
        ("channel = 0", "chanel = 0", r"zones\.0\.chanel: unknown key; did you mean 'channel'"),
        ("[board]", "[bord]", r"bord: unknown key; did you mean 'board'"),
        ('currency = "EUR"', "", r"cabinet\.currency: is missing"),
        ('currency = "EUR"', 'currency = "euro"', r"cabinet\.currency: .*euro"),
        ("= 9\n", '= "soon"\n', r"session\.unlock_timeout_s: .*soon"),
        ("= 9\n", "= 15\n", r"unlock_timeout_s is over 10: the board relocks"),
        ('id = "shop-1"', 'id = "shop 1/#"', r"cabinet\.id"),
        ("channel = 1", "channel = 0", r"two zones share a channel"),
        ('id = "s2"', 'id = "s1"', r"zone 's1' is there twice"),
        ("s1 = [[0, 0]", "s9 = [[0, 0]", r"'top' has a polygon for zone 's9'"),
        ("[9, 0], [9, 9]]", "[9, 0]]", r"polygon of 's1' needs at least 3 corners"),
        ('"http://127.0.0.1:1/t"', '"shelf.avi"', r"cameras\.top\.source: .*shelf\.avi is not there"),
        ('role = "interior"', 'role = "front"', r"more than one camera has role"),
        ("[session]", '[lock]\nvia = "gpio"\n[session]', r"lock: via = .gpio. needs pin"),
        ("[session]", '[door]\nvia = "gpio"\npin = 4\n[session]', r"door and bolt are debounced together"),
        ("[session]", '[mqtt]\nhost = "x"\nkey_file = "nokey"\n[session]', r"mqtt\.key_file: .*nokey is not there"),
        ("[session]", '[items]\nmodel = "nomodel"\n[session]', r"items\.model: there is no model\.toml"),
        ("[session]", "unlocks_per_hour = 121\n[session]", r"board\.unlocks_per_hour: .*120"),
        ("[session]", "unlocks_per_day = 1201\n[session]", r"board\.unlocks_per_day: .*1200"),
        ("[session]", "unlocks_per_day = 10\n[session]", r"unlocks_per_day is below unlocks_per_hour"),
        ("[session]", '[prices]\ntime_zone = "Berlin"\n[session]', r"prices\.time_zone: is no time zone .*Berlin"),
        ("[session]", '[prices]\ntime_zone = "../etc"\n[session]', r"prices\.time_zone: is no time zone"),
        ("[session]", "[prices]\ntaxes = 19\n[session]", r"prices\.taxes: unknown key"),
        ("[session]", "[identity]\nmin_age = 151\n[session]", r"identity\.min_age: .*150"),
        ("[session]", "[credit]\nbudget_s = 1\n[session]", r"credit\.budget_s: unknown key; did you mean 'budget_ms'"),
        ("[session]", "[credit]\nbudget_ms = 8000\n[session]", r"credit\.budget_ms: .*3000"),
        ("[session]", "[credit]\nhold_minor = -1\n[session]", r"credit\.hold_minor"),
        ("[session]", "[credit]\nhold_minor = 20.50\n[session]", r"credit\.hold_minor: .*integer"),
        ("[session]", "[credit]\noffline_member_visits = -1\n[session]", r"credit\.offline_member_visits"),
        ("[session]", "[credit]\nroster_days = 0\n[session]", r"credit\.roster_days"),
        ("[session]", "[storage]\nballast_mib = -1\n[session]", r"storage\.ballast_mib"),
        ("[session]", "[session", r"is not TOML"),
    ],
)
def test_a_wrong_file_says_where_and_what_to_do(tmp_path: Path, find: str, replace: str, complaint: str) -> None:
    assert find in GOOD
    with pytest.raises(ConfigError, match=complaint) as refused:
        load(written(tmp_path, GOOD.replace(find, replace, 1)))
    assert str(tmp_path / "cabinet.toml") in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load(tmp_path / "nowhere.toml")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("channel = 0", "chanel = 0").replace('currency = "EUR"', "")
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, text))
    assert len(str(refused.value).splitlines()) == 3  # unknown key, missing channel, missing currency
