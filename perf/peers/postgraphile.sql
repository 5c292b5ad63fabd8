-- What PostGraphile serves: the gateway's own tables as views, each read along the same indexes, and the keys that a
-- view does not show. Figures are kept, so that no page counts.
DROP SCHEMA IF EXISTS peers CASCADE;
CREATE SCHEMA peers;

CREATE VIEW peers.products AS
SELECT product_id, name, slogan, description, category, default_price, counts
FROM public.products JOIN public.product_figures USING (product_id);
COMMENT ON VIEW peers.products IS E'@primaryKey product_id';

CREATE VIEW peers.characteristics AS
SELECT product_id, characteristic_id, kind, counts
FROM public.characteristics JOIN public.characteristic_figures USING (product_id, characteristic_id);
COMMENT ON VIEW peers.characteristics IS
E'@primaryKey product_id,characteristic_id
@foreignKey (product_id) references products (product_id)|@foreignSimpleFieldName characteristics|@behavior +list -connection';

CREATE VIEW peers.reviews AS
SELECT product_id, review_id, rating, summary, body, recommended, reviewer_name, created_at, response, helpfulness,
  relevance
FROM public.reviews WHERE NOT reported;
COMMENT ON VIEW peers.reviews IS
E'@primaryKey product_id,review_id
@foreignKey (product_id) references products (product_id)|@foreignFieldName reviews';

CREATE VIEW peers.photos AS
SELECT product_id, review_id, photo_id, url FROM public.photos;
COMMENT ON VIEW peers.photos IS
E'@primaryKey product_id,review_id,photo_id
@foreignKey (product_id,review_id) references reviews (product_id,review_id)|@foreignSimpleFieldName photos|@behavior +list -connection';

CREATE VIEW peers.ratings AS
SELECT product_id, review_id, rating_id, value, characteristic_id, kind
FROM public.ratings JOIN public.characteristics USING (product_id, characteristic_id);
COMMENT ON VIEW peers.ratings IS
E'@primaryKey product_id,review_id,characteristic_id
@foreignKey (product_id,review_id) references reviews (product_id,review_id)|@foreignSimpleFieldName characteristicRatings|@behavior +list -connection';
