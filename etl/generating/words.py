"""The words of a made-up shop, as CSV fields have them: a quote is doubled.

``{it}`` becomes "these boots", ``{them}`` "them", ``{item}`` "boots", ``{color}`` a color.
"""

from __future__ import annotations

SHOES, CLOTHES, ACCESSORIES = "shoes", "clothes", "accessories"

CHARACTERISTICS = {
    CLOTHES: ("Fit", "Length", "Comfort", "Quality"),
    SHOES: ("Size", "Width", "Comfort", "Quality"),
    ACCESSORIES: ("Quality",),
}

# Each group's categories: the category, what reviewers call its goods, whether that is plural, and the nouns of names.
CATEGORIES = {
    CLOTHES: (
        ("Jackets", "jacket", False, ("Jacket", "Parka", "Windbreaker")),
        ("Pants", "pants", True, ("Joggers", "Chinos", "Trousers", "Jeans")),
        ("Shirts", "shirt", False, ("Shirt", "Henley", "Polo")),
        ("Dresses", "dress", False, ("Dress", "Sundress", "Wrap Dress")),
        ("Knitwear", "knit", False, ("Cardigan", "Sweater", "Turtleneck")),
    ),
    SHOES: (
        ("Kicks", "sneakers", True, ("Sneakers", "Runners", "High Tops")),
        ("Dress Shoes", "shoes", True, ("Oxfords", "Loafers", "Brogues")),
        ("Boots", "boots", True, ("Boots", "Chelsea Boots", "Hiking Boots")),
        ("Sandals", "sandals", True, ("Sandals", "Slides", "Espadrilles")),
    ),
    ACCESSORIES: (
        ("Accessories", "piece", False, ("Sunglasses", "Scarf", "Belt", "Beanie")),
        ("Bags", "bag", False, ("Backpack", "Tote", "Weekender")),
        ("Jewelry", "piece", False, ("Bracelet", "Watch", "Earrings")),
    ),
}

STYLES = (
    "Harbor", "Meadow", "Summit", "Juniper", "Coastal", "Midnight", "Sunday", "Prairie", "Canyon", "Willow", "Atlas",
    "Ember", "Cobalt", "Orchard", "Lantern", "Marlow", "Alder", "Bristol", "Saffron", "Driftwood", "Everyday", "Nomad",
)  # fmt: skip
MATERIALS = (
    "Linen", "Merino", "Canvas", "Suede", "Cotton", "Denim", "Leather", "Corduroy", "Bamboo", "Waxed", "Recycled",
    "Ribbed", "Brushed", "Woven", "Quilted", "Featherlight",
)  # fmt: skip
SLOGANS = (
    "Made for the long way home", "Quietly better than the rest", "Your new favorite, every day",
    "Light on its feet, easy on you", "Dress up, dress down, go out", "Built to be worn, not saved",
    "Simple things, done properly", "Ready before you are", "Softer with every season", "For mornings that start early",
    "Good company in any weather", "The one you reach for first",
)  # fmt: skip
DESCRIPTIONS = (
    "Something you will wear long after the season is over.",
    "Made from a soft blend that keeps its shape year after year.",
    "Reinforced seams and a clean finish make this a staple for work and weekends.",
    "Designed in small batches and tested on long walks, late trains and early flights.",
    "Details you notice late: hidden stitching, tidy edges, colors that stay true.",
    "Pairs with almost everything you already own.",
    "Sourced from workshops that publish where their materials come from.",
)
COLORS = ("black", "navy", "olive", "sand", "rust", "charcoal", "ivory", "burgundy", "slate", "mustard")

# By how content the reviewer is: 0 (one and two stars), 1 (three), 2 (four and five).
SUMMARIES = (
    (
        "Not for me", "Disappointed", "Sent {them} back", "Looked better in the photos", "Fell apart too soon",
        "Would not buy again", "Expected more for the price", "Poor stitching", "The color is all wrong",
    ),
    (
        "It is fine", "Decent for the price", "Good, not great", "Does the job", "Mixed feelings",
        "Okay, with a few caveats", "Somewhere in the middle", "Nice idea, average finish",
    ),
    (
        "Love {it}!", "A new favorite", "Worth every penny", "Better than expected", "Great quality",
        "So comfortable", "Compliments all day", "Buying a second pair of everything", "Exactly what I wanted",
    ),
)  # fmt: skip
OPENERS = (
    (
        "I wanted to like {it}, but we did not get along.",
        "Back in the box!!",
        "After two weeks {it} already looked worn out, and I had hardly been anywhere.",
        "The {color} in the photos has little to do with what came out of the parcel.",
        "I ordered my usual size and still had to send everything back.",
        "Two seams came undone on the second day, which is a first for me.",
    ),
    (
        "I bought {it} for a trip in the spring and had {them} on most days.",
        "For what I paid, {it} did what was promised and no more.",
        "Not bad, not great.",
        "I got the {color} version for my brother, who says it is alright.",
        "I have owned better, and I have owned worse.",
    ),
    (
        "I have been looking for {item} like that for years!",
        "I love everything.",
        "Bought {it} in {color} and came back a week later for a second color.",
        "My partner ordered {it} for my birthday and I have hardly worn anything else since.",
        "From the moment I opened the parcel I knew I would keep {it}.",
        "Three friends have asked me about {it} already, and two of them have placed an order.",
    ),
)
MIDDLES = (
    'I am five foot eight and my usual size was a little ""generous"" on me.',
    "The material feels thicker than I thought it would, which is good for the colder months.",
    "Delivery took four days.",
    "Cleaning is easy, and everything was dry again the next morning.",
    "The stitching around the edges is neat and nothing has come loose so far.",
    "The {color} goes with nearly everything in my closet.",
    "I went from the office straight to dinner, and nobody could tell.",
    "There was a faint smell at first that went away after a day on the balcony.",
    "Compared with what I had before, this is lighter and packs much smaller.",
    "The description says true to size; I would call that mostly right.",
)
CLOSERS = (
    (
        "I would not order {it} again.",
        "Customer service was kind, at least, and the refund came quickly.",
        "Save your money and look for something sturdier.",
        "The best part is the box, which the cat enjoys.",
    ),
    (
        "Maybe I will get used to {them}.",
        "In a sale, yes; at full price I would look around first.",
        "It does the job, and that is all I asked for.",
        "Take a look in a store first if you can.",
    ),
    (
        "Highly recommended to anyone who is still undecided.",
        "I already have my eye on the {color} version.",
        "Thumbs up from me and from everyone who asked where I got {them}.",
        "Would buy again in a heartbeat!",
    ),
)
RESPONSES = (
    "Thank you for taking the time to write. We are glad you like it!",
    "We are sorry to hear that. Please write to our support team, and we will make it right.",
    "Thanks for the feedback, we have passed it on to our designers.",
    "Glad you are enjoying it!",
    "A tip from our team: one size up gives you a more relaxed fit.",
)
FIRST_NAMES = (
    "anna", "ben", "carla", "dmitri", "elena", "farid", "grace", "hugo", "ines", "jonas", "kira", "liam", "maya",
    "noah", "olga", "pavel", "quinn", "rosa", "sami", "tessa", "uma", "viktor", "wren", "yara", "zoe",
)  # fmt: skip
LAST_NAMES = (
    "reed", "walker", "costa", "okafor", "lind", "moreau", "singh", "tanaka", "brook", "stone", "rivera", "klein",
    "novak", "hart", "young", "lopez", "chen", "fox", "adler", "west",
)  # fmt: skip
