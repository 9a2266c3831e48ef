"""`python -m cabinet`, and the `cabinet` command."""


def main() -> None:
    from cabinet.cli.app import app  # noqa: PLC0415  # importing this module costs nothing

    app(prog_name="cabinet")


if __name__ == "__main__":
    main()
