"""The ways referrals are delivered to the systems of teams: one line for each, by the name an endpoint gives.

A channel is made once for a process. Nothing is told apart here but names: what each does is its own page's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version

from gateway.bars.channel import PREFIX, BarsChannel
from gateway.delivery.channel import Channel
from gateway.delivery.endpoints import Find
from gateway.filedrop import AS, TWINS, FileDrop
from gateway.mllp.channel import Mllp
from gateway.services import Services
from gateway.settings import Environment
from gateway.subscriptions.channel import SubscriptionChannel
from gateway.webhook.signing import Signer

Options = Mapping[str, str]


def _bars(services: Services, _: Options) -> Channel:
    return BarsChannel(
        Signer(services.keyring),
        base_url=f"{services.settings.public_url.rstrip('/')}{PREFIX}",
        version=version("provide-gateway"),
        production=_production(services),
    )


def _subscription(services: Services, _: Options) -> Channel:
    return SubscriptionChannel(Signer(services.keyring), production=_production(services))


def _file(services: Services, options: Options) -> Channel:
    real = options.get(AS, "")
    if real not in TWINS or real not in CHANNELS:
        raise ValueError("a file is the twin of a channel")
    return FileDrop(CHANNELS[real](services, options), production=_production(services))


def _mllp(services: Services, _: Options) -> Channel:
    chosen = services.settings
    return Mllp(chosen.mllp_certificate, chosen.mllp_key, "P" if _production(services) else "T")


def _production(services: Services) -> bool:
    return services.settings.environment is Environment.PRODUCTION


CHANNELS: Mapping[str, Callable[[Services, Options], Channel]] = {
    "bars": _bars,
    "file": _file,
    "subscription": _subscription,
    "mllp": _mllp,
}
"""How each channel is made, for the options of an endpoint. Raises ValueError where the options name none."""


def finder(services: Services) -> Find:
    """Finds channels for a gateway over these services."""
    made: dict[tuple[str, tuple[tuple[str, str], ...]], Channel] = {}

    def find(name: str, options: Options) -> Channel | None:
        make = CHANNELS.get(name)
        key = (name, tuple(sorted(options.items())))
        if make is None or key in made:
            return made.get(key)
        try:
            return made.setdefault(key, make(services, options))
        except ValueError:
            return None

    return find
