"""Every constant of the tally, with its reason.  Refuses nothing; changing one changes bills, so change with care."""

from dataclasses import dataclass

from cabinet.basket.evidence import Product


@dataclass(frozen=True, slots=True)
class TallyPolicy:
    """Source of a constant: (D) data sheet or field report, (M) measured on recorded visits, (J) judgement."""

    threshold: float = 0.9  # posterior of the whole bill below which a person decides (J)

    # Weighing
    block_s: float = 0.0625  # five samples at 80 Hz: shorter than half a period of shelf ringing, 6-8 Hz (M)
    settled_range_g: float = 3.0  # block means of a settled quarter second stay within this, or 3.5 noise sd (M)
    settled_slope_g: float = 2.5  # and within this over half a second; temperature drift reached 1.5 (M)
    step_g: float = 4.0  # smaller changes are drift: the lightest product known has 30 g
    least_end_s: float = 0.3  # settled time after the closing without which there is no end mass (J)
    spike_g: float = 12.0  # one or two samples this far off their neighbours are no mass (D: HX711 reports)
    level_sd_g: float = 0.4  # vibration that averaging does not remove (M)

    # How a mass may differ from the catalogue
    drift_sd_g: float = 2.5  # zone, one visit (M: 0-2 g usual)
    drift_wide_sd_g: float = 8.0  # one visit in ten; grows with the root of minutes (D: 0.1 % of scale in minutes)
    wide_share: float = 0.1  # prior of the wide branch, of drift and of catalogue alike (J)
    catalogue_tolerance: float = 0.002  # share of the mass, beside the learnt spread (J)
    catalogue_wide: float = 0.015  # the same where the catalogue is off (D: packaging changes)
    catalogue_wide_unlearnt: float = 0.03  # and where no spread was ever learnt
    limit_sd: float = 3.0  # the final residual of a zone may be this many wide sd, else a person decides

    # Sight
    seen: float = 0.8  # a camera that sees the zone notices a unit crossing its edge (M: 80-90 %)
    phantom: float = 0.1  # sightings with nothing behind them, per act (J)
    wrong_action: float = 0.05  # a take called a return (J)
    trust: float = 0.9  # the rest of a score is spread evenly: no single look outweighs 200 : 1 (J)
    vague: float = 0.3  # share of looks without a direction that saw something else moving (J)
    lag_s: float = 1.2  # camera clock against scale clock (J)

    # Priors of stories
    units: tuple[float, ...] = (0.85, 0.12, 0.03)  # one, two, three units in one settled change (J)
    more_units: float = 0.1  # each further unit of the same product
    misplaced: float = 0.002  # taken from a zone that the ledger does not know it in (restocking error)
    elsewhere: float = 0.2  # a put-back lands in another zone
    swap: float = 0.02  # one taken and one put back within the same settled change
    overstock: float = 0.01  # more left than the ledger knew of; never charged, but it may be what happened
    alien: float = 0.003  # a product of the catalogue comes that nobody took in this visit
    foreign: float = 0.01 / 2000  # a thing of one's own is left: share / range of its mass in grams
    unexplained: float = 0.003 / 4000  # none of the above
    pressure: float = 0.05 / 500  # a level that was a hand or a bag, not goods: share / range in grams
    nothing: float = 0.02  # a settled change without goods: tilt, a neighbour's shelf
    nothing_sd_g: float = 4.0
    bleed: float = 0.01  # goods left without any settled step: slid or lifted very slowly

    # Bounds
    beam: int = 128  # stories kept after each change
    per_change: int = 40  # explanations kept of one change
    nats: float = 16.0  # what is this much worse than the best is dropped: e-16 = 1e-7
    max_steps: int = 40  # settled changes of one zone; more is no shopping: a person decides

    def wide_share_of_mass(self, product: Product) -> float:
        """How far, as a share of the mass, the catalogue may be off (one sd)."""
        return self.catalogue_wide_unlearnt if product.mass_sd_g is None else self.catalogue_wide
