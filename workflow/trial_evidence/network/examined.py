"""A network's analysis, the synergy within its trials, and all their tables."""

from collections.abc import Sequence

import pandas as pd

from trial_evidence.config.configuration import Configuration
from trial_evidence.config.networks import Network, NetworkConfiguration, SynergyAnalysis
from trial_evidence.network.analysis import NetworkAnalysis, analyse
from trial_evidence.network.evidence.columns import with_level
from trial_evidence.network.evidence.rows import NetworkEvidence
from trial_evidence.network.tables import network_tables
from trial_evidence.network.within_trials.trial_level import (
    SynergyResults,
    not_factorial_table,
    synergy_results,
    synergy_table,
)


def synergy_of(network: Network, networks: NetworkConfiguration) -> list[SynergyAnalysis]:
    """The synergy analyses configured for a network."""
    place = (network.setting, network.id)
    return [entry for entry in networks.synergy if (entry.setting, entry.network) == place]


def examined(
    evidence: NetworkEvidence, synergy: Sequence[SynergyAnalysis], configuration: Configuration
) -> tuple[NetworkAnalysis, list[SynergyResults], dict[str, pd.DataFrame]]:
    """Analyse a network, and synergy in its trials of two agents alone and together.

    The tables are by file name.
    """
    analysis = analyse(evidence, configuration)
    # The line of treatment is given by the name of the setting.
    tables = network_tables(analysis, configuration.settings[evidence.network.setting])
    found = [synergy_results(e, evidence, configuration, analysis.added) for e in synergy]
    for results in found:
        tables["synergy"] = with_level(synergy_table(results), analysis.level)
        tables["synergy_set_aside"] = not_factorial_table(results)
    return analysis, found, tables
