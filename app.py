"""Home: what the two scenarios show, whether the models are here, where to start. Run with `streamlit run app.py`."""

if __name__ == "__main__":  # a session runs this file as its first page
    from playground.ui.home.view import draw_comparison_card, draw_demo_script, draw_models, draw_scenarios
    from playground.ui.shared.layout import begin_page

    begin_page(
        "Prompt it, or fine-tune it?",
        "Two ways to make a language model do your work, both measured live on this machine.",
    )
    draw_scenarios()
    draw_comparison_card()
    draw_demo_script()
    draw_models()
else:  # `streamlit run` imports it once, for the server
    from streamlit.starlette import App

    from playground.ui.shared.own_names import OWN_NAMES_ONLY

    app = App("app.py", middleware=[OWN_NAMES_ONLY])
